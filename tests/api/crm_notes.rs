//! A day with CRM notes: the contact's state, the last note closed, what comes next, a call list, and many re-assigned.
