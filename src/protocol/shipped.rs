//! The rule files and draws that ship with kshot, inside the program.

/// A rule file that ships with kshot.
#[derive(Clone, Copy, Debug)]
pub struct ShippedProtocol {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Its frozen draw, where it has one that is not known by its hash alone.
    pub draw: Option<&'static str>,
}

macro_rules! shipped {
    ($($name:literal $($draw:literal)?),+ $(,)?) => {
        &[$(ShippedProtocol {
            name: $name,
            text: include_str!(concat!("../../protocols/", $name, ".toml")),
            draw: shipped!(@draw $($draw)?),
        }),+]
    };
    (@draw) => { None };
    (@draw $file:literal) => { Some(include_str!(concat!("../../episodes/", $file))) };
}

/// All rule files that ship with kshot, in the order of `kshot list protocols`.
pub const SHIPPED: &[ShippedProtocol] = shipped![
    "quickstart",
    "gaussian-5way-1shot" "gaussian-5way-1shot.csv",
    "any-5way-1shot",
    "any-5way-5shot",
    "any-5way-1shot-transductive",
    "any-5way-5shot-transductive",
    "any-20way-1shot",
    "any-20way-5shot",
    "any-variable",
    "any-unbalanced",
    "any-dirichlet",
    "any-zero-shot",
    "any-generalised-zero-shot",
    "any-5way-zero-to-20",
    "any-all-way-zero-to-20",
    "any-intents-zero-shot",
    "any-intents-5shot",
    "any-intents-10shot",
    "clinc150-open-set-5way-5shot",
    "clinc150-open-set-10shot",
    "omniglot-5way-1shot",
    "omniglot-5way-1shot-10000",
    "omniglot-5way-5shot",
    "omniglot-5way-5shot-10000",
    "omniglot-20way-1shot",
    "omniglot-20way-1shot-10000",
    "omniglot-20way-5shot",
    "omniglot-20way-5shot-10000",
    "omniglot-characters-20way-1shot",
    "omniglot-characters-20way-1shot-10000",
    "omniglot-one-shot-runs" "omniglot-one-shot-runs.csv",
];
