// Element types and their conversion, with the bits of the crate `half` and of numeric/stochastic_rounding.rs.

// Float16 to float, exact.
DEVICE float widen_half(u16 x) {
    const u32 sign = (x & 0x8000u) << 16, exponent = x >> 10 & 31u, fraction = x & 0x3ffu;
    const u32 normal = (exponent + 112u) << 23 | fraction << 13;
    const u32 denormal = bits_of(static_cast<float>(fraction) * float_of(0x33800000u));
    const u32 special = 0x7f800000u | (fraction != 0 ? 0x400000u : 0u) | fraction << 13;
    return float_of(sign | (exponent == 31u ? special : exponent == 0 ? denormal : normal));
}

// Float to float16, to nearest, ties to even.
DEVICE u16 narrow_half(float x) {
    const u32 bits = bits_of(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    const u32 rebased = magnitude - (112u << 23);
    const u32 normal = (rebased + 0xfffu + (rebased >> 13 & 1u)) >> 13;
    // The ulp of 0.5 is the smallest denormal of float16.
    const u32 denormal = bits_of(float_of(magnitude) + 0.5f) - 0x3f000000u;
    const u32 nan = 0x7e00u | (magnitude >> 13 & 0x3ffu);
    return static_cast<u16>(sign | (magnitude > 0x7f800000u    ? nan
                                    : magnitude >= 0x47800000u ? 0x7c00u
                                    : magnitude >= 0x38800000u ? normal
                                                               : denormal));
}

// Bfloat16 to float, exact.
DEVICE float widen_bfloat16(u16 x) {
    const u32 quiet = (x & 0x7fffu) > 0x7f80u ? 0x40u : 0u;
    return float_of((x | quiet) << 16);
}

// Float to bfloat16, to nearest, ties to even.
DEVICE u16 narrow_bfloat16(float x) {
    const u32 bits = bits_of(x);
    const u32 rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    return static_cast<u16>((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded);
}

// A hash in which each input bit affects each output bit.
DEVICE u32 hash(u32 x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

// Float to bfloat16, up or down by a hash of the average, of the weight and of the index of the element.
DEVICE u16 narrow_stochastically(float average, float weight, u64 index) {
    const u32 bits = bits_of(average), weight_bits = bits_of(weight);
    const u32 rotated = weight_bits << 16 | weight_bits >> 16;
    const u32 chance = hash(rotated ^ bits ^ static_cast<u32>(index) * 0x9e3779b9u) >> 16;
    const u32 quiet = (bits & 0x7fffffffu) > 0x7f800000u ? 0x40u : 0u;
    return static_cast<u16>(is_finite(average) ? (bits + chance) >> 16 : bits >> 16 | quiet);
}

// A type of 16 bits is equal to itself unless it is NaN, and zeros of both signs are equal.
DEVICE bool differ(u16 a, u16 b, u32 infinity) {
    const bool has_nan = (a & 0x7fffu) > infinity || (b & 0x7fffu) > infinity;
    return has_nan || !(a == b || ((a | b) & 0x7fffu) == 0);
}

// Each element type: the type in memory, the type of the formulas, and the number of elements of a span.
struct Float {
    typedef float Stored;
    typedef float Scalar;
    static constexpr int SPAN = 4;
    static constexpr bool IS_NARROW = false;
    static METHOD float widen(float x) { return x; }
    static METHOD float narrow(float x) { return x; }
    static METHOD bool have_different_values(float, float) { return false; }
};

struct Double {
    typedef double Stored;
    typedef double Scalar;
    static constexpr int SPAN = 4;
    static constexpr bool IS_NARROW = false;
    static METHOD double widen(double x) { return x; }
    static METHOD double narrow(double x) { return x; }
    static METHOD bool have_different_values(double, double) { return false; }
};

struct Half {
    typedef u16 Stored;
    typedef float Scalar;
    static constexpr int SPAN = 8;
    static constexpr bool IS_NARROW = true;
    static METHOD float widen(u16 x) { return widen_half(x); }
    static METHOD u16 narrow(float x) { return narrow_half(x); }
    static METHOD bool have_different_values(u16 a, u16 b) { return differ(a, b, 0x7c00u); }
};

struct BFloat16 {
    typedef u16 Stored;
    typedef float Scalar;
    static constexpr int SPAN = 8;
    static constexpr bool IS_NARROW = true;
    static METHOD float widen(u16 x) { return widen_bfloat16(x); }
    static METHOD u16 narrow(float x) { return narrow_bfloat16(x); }
    static METHOD bool have_different_values(u16 a, u16 b) { return differ(a, b, 0x7f80u); }
};
