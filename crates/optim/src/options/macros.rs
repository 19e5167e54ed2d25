//! Macros that declare options: `options!` for a struct with its table, `words!` for an enum of words.

/// Declares an enum whose variants are words, as the type of an option.
#[macro_export]
macro_rules! words {
    ($(#[$outer:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        $vis enum $name { $($(#[$doc])* $variant,)* }

        impl $crate::options::option_type::OptionType for $name {
            const KIND: $crate::options::value::OptionKind = $crate::options::value::OptionKind::Word(&[$($word),*]);
            fn from_value(value: &$crate::options::value::OptionValue) -> Option<Self> {
                match value {
                    $($crate::options::value::OptionValue::Word(word) if word == $word => Some($name::$variant),)*
                    _ => None,
                }
            }
            fn into_value(self) -> $crate::options::value::OptionValue {
                $crate::options::value::OptionValue::Word(match self { $($name::$variant => $word,)* }.into())
            }
        }
    };
}
pub(crate) use words;

/// Declares a struct of options and derives its table.
///
/// Each row has a doc sentence, `name: type`, and ` = default` unless the option is required. Optional parts are `,
/// limit L`, `, alias "pytorch_name"` and `, extension true`, in this order. Extensions come last. `options!(@table rows)` is the
/// table alone, for options that no struct holds. The option of `r#fn` is named `fn`.
#[macro_export]
macro_rules! options {
    ($(#[$outer:meta])* $vis:vis struct $set:ident {
        $(#[doc = $doc:literal] $name:ident: $type:ty $(= $default:expr)? $(, limit $limit:expr)?
            $(, alias $alias:literal)? $(, extension $extension:literal)?;)*
    }) => {
        $(#[$outer])*
        #[derive(Clone, Debug)]
        $vis struct $set { $(#[doc = $doc] pub $name: $type,)* }

        impl $crate::options::table::OptionSet for $set {
            const SPECS: &'static [$crate::options::table::OptionSpec] = $crate::options! {
                @table $(#[doc = $doc] $name: $type $(= $default)? $(, limit $limit)? $(, alias $alias)? $(, extension $extension)?;)*
            };

            fn from_values(values: &[$crate::options::value::OptionValue]) -> $crate::error::Result<Self> {
                let mut values = values.iter();
                Ok(Self { $($name: $crate::options::table::next_option(&mut values)?,)* })
            }
        }
    };
    (@table $(#[doc = $doc:literal] $name:ident: $type:ty $(= $default:expr)? $(, limit $limit:expr)?
        $(, alias $alias:literal)? $(, extension $extension:literal)?;)*) => {
        &[$($crate::options::table::OptionSpec {
            name: $crate::options::table::plain_name(stringify!($name)),
            alias: $crate::options!(@or None $(, Some($alias))?),
            doc: $crate::options::table::documentation($doc.trim_ascii_start()),
            kind: <$type as $crate::options::option_type::OptionType>::KIND,
            nullable: <$type as $crate::options::option_type::OptionType>::NULLABLE,
            limit: $crate::options!(@or $crate::options::table::Limit::Finite $(, $limit)?),
            default: || $crate::options!(@or None $(, Some(<$type as $crate::options::option_type::OptionType>::into_value($default)))?),
            extension: $crate::options!(@or false $(, $extension)?),
        },)*]
    };
    (@or $default:expr) => { $default };
    (@or $default:expr, $given:expr) => { $given };
}
