// Functions of norms of LAMB. Each computes as its namesake in lamb.rs, in double precision.

enum NormInput {
    LR,
    SIGN,
    GLOBALNORM,
    HAS_MAX_GRAD_NORM,
    MAX_GRAD_NORM,
    FIXED_RATIO,
    TRUSTCLIP,
    TRUSTMIN,
    TRUSTMAX
};

// The divisor of the gradients.
DEVICE double norm_divisor(double gradient_norm, const double* inputs) {
    const double divisor = gradient_norm / inputs[MAX_GRAD_NORM];
    const bool keeps = inputs[HAS_MAX_GRAD_NORM] != 0.0 ? divisor <= 1.0 : divisor == 0.0;
    return inputs[GLOBALNORM] != 0.0 && !keeps ? divisor : 1.0;
}

// Sets the constants `scale` and `rescale`, which are the first two of the kernel `moments`.
DEVICE void constants_from_norm(double gradient_norm, const double* inputs, bool is_single, double* values) {
    const double max_scale = 1e30;
    const double inverse = 1.0 / norm_divisor(gradient_norm, inputs);
    const bool exceeds = inverse > max_scale;
    const double scale = inputs[SIGN] * (exceeds ? max_scale : inverse);
    const double rescale = exceeds ? inverse / max_scale : 1.0;
    values[0] = is_single ? double(float(scale)) : scale;
    values[1] = is_single ? double(float(rescale)) : rescale;
}

// The factor of the update, from the norms of a tensor and of its update.
DEVICE double factor_of_norms(const double* inputs, double parameter_norm, double update_norm) {
    double ratio = 1.0;
    if (inputs[FIXED_RATIO] == 0.0) {
        if (parameter_norm != 0.0 && update_norm != 0.0) ratio = parameter_norm / update_norm;
        if (inputs[TRUSTCLIP] != 0.0 && ratio < inputs[TRUSTMIN])
            ratio = inputs[TRUSTMIN];
        else if (inputs[TRUSTCLIP] != 0.0 && ratio > inputs[TRUSTMAX])
            ratio = inputs[TRUSTMAX];
    }
    return inputs[LR] * ratio;
}
