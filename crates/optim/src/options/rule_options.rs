//! The options that all optimizers with a [`Rule`](crate::rule::Rule) share.

use crate::options::macros::words;
use crate::options::table::OptionSet;

/// The options of a [`Rule`](crate::rule::Rule), which end with the shared options.
pub(crate) trait RuleOptions: OptionSet + Send + Sync + 'static {
    /// The shared options.
    fn shared(&self) -> SharedOptions;
}

/// The options that every optimizer with a [`Rule`](crate::rule::Rule) has in addition to its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedOptions {
    /// The weight of the past in the moving average of the parameters; `None` for no average.
    pub(crate) average: Option<f64>,
    /// True if averages of gradients are stored in bfloat16.
    pub(crate) bfloat16_moments: bool,
}

words! {
    /// The storage of averages of gradients.
    pub(crate) enum MomentStorage {
        Full = "full",
        BFloat16 = "bfloat16",
    }
}

/// Declares the options of a rule, as [`options!`] does, and adds the shared options.
macro_rules! rule_options {
    ($(#[$outer:meta])* $vis:vis struct $set:ident { $($rows:tt)* }) => {
        $crate::options! {
            $(#[$outer])*
            $vis struct $set {
                $($rows)*
                /// Keep a moving average of the parameters with this weight of the past; null: none.
                average: Option<f64> = None, limit HalfOpen(0.0, 1.0), extension true;
                /// How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full.
                moments: $crate::options::rule_options::MomentStorage = $crate::options::rule_options::MomentStorage::Full, extension true;
            }
        }

        impl $crate::options::rule_options::RuleOptions for $set {
            fn shared(&self) -> $crate::options::rule_options::SharedOptions {
                let bfloat16_moments = matches!(self.moments, $crate::options::rule_options::MomentStorage::BFloat16);
                $crate::options::rule_options::SharedOptions { average: self.average, bfloat16_moments }
            }
        }
    };
}
pub(crate) use rule_options;
