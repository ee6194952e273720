//! The metrics that ship, one file each, or one for a few that belong together.

pub mod accuracy;
pub mod adaptive_ece;
pub mod aurc;
pub mod auroc;
pub mod brier;
pub mod class_accuracy;
pub mod fpr95;
pub mod generalised;
pub mod nll;
pub mod oos;
pub mod temperature_scaled;
