//! The API of the SDK: what a connected user's token opens.

pub(crate) mod account;
pub(crate) mod batch;
pub(crate) mod credential;
pub(crate) mod event;
pub(crate) mod integration;
pub(crate) mod me;
pub(crate) mod project;
pub(crate) mod settings;
pub(crate) mod trigger;
mod view;
pub(crate) mod workflow;
