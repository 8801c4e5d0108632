//! `/admin/v1/…`: for whoever runs the installation.

pub(crate) mod api_key;
pub(crate) mod execution;
pub(crate) mod parked;
pub(crate) mod project;
pub(crate) mod replay;
pub(crate) mod unsealing;
pub(crate) mod usage;
pub(crate) mod user;
pub(crate) mod webhook;
pub(crate) mod workflow;
