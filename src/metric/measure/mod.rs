//! The metrics that ship, one file each, or one for a few that belong together.

pub mod accuracy;
pub mod adaptive_ece;
pub mod aurc;
pub mod auroc;
pub mod brier;
pub mod class_accuracy;
pub mod confusion;
pub mod ece;
pub mod fpr95;
pub mod generalised;
pub mod nll;
pub mod one_vs_rest;
pub mod oos;
pub mod support_accuracy;
pub mod temperature_scaled;
pub mod top_k;
