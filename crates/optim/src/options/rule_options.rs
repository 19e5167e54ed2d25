//! The options that every optimizer with a [`Rule`](crate::rule::Rule) has.

use crate::options::macros::words;
use crate::options::table::OptionSet;

/// The options of a [`Rule`](crate::rule::Rule): a set that ends with those that every rule has.
pub(crate) trait RuleOptions: OptionSet + Send + Sync + 'static {
    /// Those that every rule has.
    fn shared(&self) -> SharedOptions;
}

/// What every optimizer with a [`Rule`](crate::rule::Rule) can do beside its formula.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedOptions {
    /// The share of the past in the moving average of the parameters; `None` without one.
    pub(crate) average: Option<f64>,
    /// True if averages of gradients are kept in 16 bits.
    pub(crate) reduced_moments: bool,
}

words! {
    /// How the state of a formula is kept.
    pub(crate) enum MomentStorage {
        Full = "full",
        BFloat16 = "bfloat16",
    }
}

/// Declares the options of a rule as [`options!`] does, and adds those that every rule has.
macro_rules! rule_options {
    ($(#[$outer:meta])* $vis:vis struct $set:ident { $($rows:tt)* }) => {
        $crate::options! {
            $(#[$outer])*
            $vis struct $set {
                $($rows)*
                /// Keep a moving average of the parameters, in which the past has this share; null: none.
                average: Option<f64> = None, limit HalfOpen(0.0, 1.0), extension true;
                /// How averages of gradients are kept: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares are kept in full.
                moments: $crate::options::rule_options::MomentStorage = $crate::options::rule_options::MomentStorage::Full, extension true;
            }
        }

        impl $crate::options::rule_options::RuleOptions for $set {
            fn shared(&self) -> $crate::options::rule_options::SharedOptions {
                let reduced_moments = matches!(self.moments, $crate::options::rule_options::MomentStorage::BFloat16);
                $crate::options::rule_options::SharedOptions { average: self.average, reduced_moments }
            }
        }
    };
}
pub(crate) use rule_options;
