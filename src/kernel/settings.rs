//! What the company has settled for all its work; every transaction carries it.

use chrono_tz::Tz;

/// What goes for whatever belongs to no person, and to nobody yet.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The company's time zone, for what belongs to no person.
    pub company_zone: Tz,
    /// The name of the group that gets work which nothing else assigns.
    pub default_group: String,
}
