//! The element type of a tensor.

use stepwell_optim::{Code, Error, Number, OptionKind, OptionType, OptionValue, Result, joined};

/// The element type of a tensor. Named as the k-api names it; PyTorch's names are accepted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// 16-bit floating point of IEEE 754: 11 significant bits, numbers up to 65504.
    Half,
    /// The upper 16 bits of a `float`: 8 significant bits, the range of `float`.
    BFloat16,
    /// 64-bit integer.
    Long,
    /// False or true, in one byte.
    Bool,
}

impl Dtype {
    /// Every dtype.
    pub const ALL: [Dtype; 6] = [Dtype::Float, Dtype::Double, Dtype::Half, Dtype::BFloat16, Dtype::Long, Dtype::Bool];

    /// The name in the k-api's words, and in PyTorch's.
    fn names(self) -> [&'static str; 2] {
        match self {
            Dtype::Float => ["float", "float32"],
            Dtype::Double => ["double", "float64"],
            Dtype::Half => ["half", "float16"],
            Dtype::BFloat16 => ["bfloat16", "bfloat16"],
            Dtype::Long => ["long", "int64"],
            Dtype::Bool => ["bool", "bool"],
        }
    }

    /// Parses a name.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.names().contains(&name)).ok_or_else(|| {
            Error::new(Code::Dtype, format_args!("unknown dtype `{name}`, expected one of {}", Self::known()))
        })
    }

    /// The names of all, for messages.
    pub(crate) fn known() -> String {
        joined(&Self::ALL.map(Dtype::name), ", ")
    }

    /// The name in the k-api's words.
    pub fn name(self) -> &'static str {
        self.names()[0]
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Dtype::Bool => 1,
            Dtype::Half | Dtype::BFloat16 => 2,
            Dtype::Float => 4,
            Dtype::Double | Dtype::Long => 8,
        }
    }

    /// Fails for a finite number that is not finite in this dtype.
    pub(crate) fn check_holds(self, number: f64) -> Result<()> {
        let largest = match self {
            Dtype::Half => 65504.0,
            Dtype::BFloat16 => 3.389_531_389_251_535_5e38,
            Dtype::Float => f64::from(f32::MAX),
            Dtype::Double | Dtype::Long | Dtype::Bool => f64::MAX,
        };
        if !number.is_finite() || number.abs() <= largest {
            return Ok(());
        }
        let (name, largest, number) = (self.name(), Number(largest), Number(number));
        Err(Error::new(
            Code::Argument,
            format_args!("expected numbers within ±{largest} for dtype {name}, given {number}"),
        ))
    }

    /// True for the types that can carry a gradient.
    pub fn is_floating(self) -> bool {
        !matches!(self, Dtype::Long | Dtype::Bool)
    }

    /// True for floating point of 16 bits, which PyTorch calls reduced. Numbers leave a session as `float`, which holds
    /// each exactly, and norms are taken in it.
    pub fn is_reduced(self) -> bool {
        matches!(self, Dtype::Half | Dtype::BFloat16)
    }
}

/// Of an option, by the k-api's names.
impl OptionType for Dtype {
    const KIND: OptionKind = OptionKind::Word(&["float", "double", "half", "bfloat16", "long", "bool"]);
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::Word(word) = value { Self::parse(word).ok() } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word(self.name().into())
    }
}
