//! The networks that kshot trains and embeds with by name. A further one is a file and a line at the end of this one.

use super::architecture::{Architecture, Described, Named, Sizes};
use super::conv4::Conv4Config;
use super::mlp::MlpConfig;
use super::nets::{NetConfig, kind, kinds};
use super::network::Trainable;
use super::{BackboneError, Weights};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;
use crate::vocab::Form;

macro_rules! enrol {
    ($($config:ident),+ $(,)?) => {
        /// The networks of images with weights that are kshot's own, with a line on each; [`kinds`] are the published ones.
        pub const NETWORKS: &[(&str, &str)] = &[$((<$config>::NAME, <$config>::ABOUT)),+];

        /// The sizes of a network of one of the kinds that kshot knows by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Configuration {
            $(
                #[doc = concat!("Those of a [`", stringify!($config), "`].")]
                $config($config),
            )+
            /// Those of a published network.
            Net(NetConfig),
        }

        impl Configuration {
            /// The names of the sizes that a training config may give a network of this name; nothing for an unknown network.
            pub fn size_names(network: &str) -> Option<Vec<&'static str>> {
                let sizes = match network {
                    $(<$config>::NAME => <$config>::SIZES,)+
                    other => return kind(other).map(|_| NetConfig::size_names()),
                };
                Some(sizes.iter().map(|(name, _)| *name).collect())
            }

            /// The network of this name for items of a form.
            ///
            /// # Errors
            /// When there is none of that name, or it cannot read such items or have such sizes.
            pub fn fit(network: &str, form: Form, given: &Sizes) -> Result<Configuration, BackboneError> {
                match network {
                    $(<$config>::NAME => <$config>::fit_given(form, given).map(Configuration::$config),)+
                    other => match kind(other) {
                        Some(kind) => NetConfig::fit(kind, form, given).map(Configuration::Net),
                        None => Err(BackboneError::UnknownBackbone {
                            found: network.to_string(),
                            known: networks().map(|(name, _)| name).collect(),
                        }),
                    },
                }
            }

            /// The sizes that [`Architecture::text`] has written of the network of this name.
            pub fn parse(network: &str, text: &str) -> Option<Configuration> {
                match network {
                    $(<$config>::NAME => <$config>::parse(text).map(Configuration::$config),)+
                    other => NetConfig::parse(kind(other)?, text).map(Configuration::Net),
                }
            }
        }

        impl Architecture for Configuration {
            fn name(&self) -> &'static str {
                match self { $(Configuration::$config(of) => of.name(),)+ Configuration::Net(of) => of.name() }
            }

            fn text(&self) -> String {
                match self { $(Configuration::$config(of) => of.text(),)+ Configuration::Net(of) => of.text() }
            }

            fn form(&self) -> Form {
                match self { $(Configuration::$config(of) => of.form(),)+ Configuration::Net(of) => of.form() }
            }

            fn dim(&self) -> usize {
                match self { $(Configuration::$config(of) => of.dim(),)+ Configuration::Net(of) => of.dim() }
            }

            fn count(&self) -> Option<usize> {
                match self { $(Configuration::$config(of) => of.count(),)+ Configuration::Net(of) => of.count() }
            }

            fn fresh(&self, normal: impl FnMut() -> f64) -> Weights {
                match self { $(Configuration::$config(of) => of.fresh(normal),)+ Configuration::Net(of) => of.fresh(normal) }
            }

            fn described(&self) -> Option<Described> {
                match self { $(Configuration::$config(of) => of.described(),)+ Configuration::Net(of) => of.described() }
            }

            fn on<D: ConvOps>(
                &self,
                device: &D,
                weights: &Weights,
            ) -> Result<Box<dyn Trainable<D>>, TensorError> {
                match self { $(Configuration::$config(of) => of.on(device, weights),)+ Configuration::Net(of) => of.on(device, weights) }
            }
        }
    };
}

enrol![Conv4Config, MlpConfig,];

/// All networks of images with weights, with a line on each.
pub fn networks() -> impl Iterator<Item = (&'static str, &'static str)> {
    NETWORKS.iter().copied().chain(kinds().map(|kind| (kind.name, kind.about)))
}
