//! What comes in from outside: the forms of web sites.

pub mod forms;
