//! What the command line promises: every verb, its files, its sentences and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compare;
mod device;
mod draws;
mod embedding;
mod evaluate;
mod features;
mod files;
mod identity;
mod images;
mod methods;
mod open_set;
mod outside;
mod parts;
mod photographs;
mod place;
mod predict;
mod protocols;
mod report;
mod request;
mod rerun;
mod results;
mod resume;
mod scores;
mod select;
mod signals;
mod tables;
mod until;
mod zero_shot;
