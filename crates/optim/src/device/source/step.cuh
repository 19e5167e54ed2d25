// The elements of a chunk: gradient operations, master weights, the formula, bfloat16 moments, the moving average.

// The transform of the step's gradients.
DEVICE TransformEntry transform_of(const Launch& launch) {
    return launch.settings->clips_norm != 0 ? launch.control->transform : launch.settings->transform;
}

// True if the step changes nothing but gradients that it zeroes.
DEVICE bool is_skipped(const Launch& launch) {
    const u32 skips = launch.settings->skips;
    return skips == SKIPS_ALWAYS || (skips == SKIPS_NON_FINITE && launch.control->non_finite != 0);
}

// Counts a step that this launch, its last, has skipped. No block of such a launch reads constants, so none reads the
// count.
DEVICE void count_skipped(const Launch& launch) {
    FOR_THREADS {
        if (launch.block == 0 && thread == 0 && launch.settings->skips == SKIPS_NON_FINITE) launch.control->skipped++;
    }
}

// The constants of a row for the steps that the device has skipped and the host did not know of.
DEVICE ConstantsRow& constants_of(const Launch& launch, u32 row) {
    const u64 unknown = launch.control->skipped - launch.settings->skipped;
    return launch.rows[unknown * launch.settings->rows + row];
}

// A gradient element after unscaling and clipping. NaN stays NaN.
template <class T> DEVICE T transformed(T g, const TransformEntry& transform) {
    if ((transform.kind & 1u) != 0) g = g * static_cast<T>(transform.scale);
    if ((transform.kind & 2u) != 0) {
        const T max = static_cast<T>(transform.max);
        const T limited = g > max ? max : g;
        g = limited < -max ? -max : limited;
    }
    return g;
}

// The span of a thread that starts at this index of a chunk.
template <int N> DEVICE Span<N> span_of(const ChunkEntry& chunk, u32 index, bool is_aligned) {
    const u32 rest = chunk.length - index;
    const int count = rest < static_cast<u32>(N) ? static_cast<int>(rest) : N;
    return {chunk.start + index, count, is_aligned && count == N};
}

// Loads the weights that the formula updates. Master weights that do not round to the parameter were left over from
// before the parameter was set from outside, and take its value. Returns true if there were any.
template <class E> DEVICE bool load_weights(const TensorEntry& tensor, const Span<E::SPAN>& span, bool refreshes,
                                            typename E::Scalar (&weights)[E::SPAN]) {
    load(E::IS_NARROW ? tensor.buffers[MASTER] : tensor.parameter, span, weights);
    if (!E::IS_NARROW || !refreshes) return false;
    typename E::Stored parameters[E::SPAN];
    load(tensor.parameter, span, parameters);
    bool changes = false;
    UNROLL
    for (int i = 0; i < E::SPAN; i++) {
        if (E::have_different_values(E::narrow(weights[i]), parameters[i])) {
            weights[i] = E::widen(parameters[i]);
            changes = true;
        }
    }
    return changes;
}

// Loads gradients, and zeroes them in memory if asked to.
template <class E> DEVICE void load_gradients(const TensorEntry& tensor, const Span<E::SPAN>& span, bool zeroes,
                                              typename E::Scalar (&gradients)[E::SPAN]) {
    typename E::Stored stored[E::SPAN];
    load(tensor.gradient, span, stored);
    UNROLL
    for (int i = 0; i < E::SPAN; i++) {
        gradients[i] = E::widen(stored[i]);
        stored[i] = 0;
    }
    if (zeroes) store(tensor.gradient, span, stored);
}

// Loads the state buffers of a kernel. The bits of NARROW mark buffers in bfloat16.
template <class Kernel, int N, u32 NARROW, class T>
DEVICE void load_states(const TensorEntry& tensor, const Span<N>& span, T (&states)[Kernel::STATES + 1][N]) {
    UNROLL
    for (int state = 0; state < Kernel::STATES; state++) {
        if ((NARROW >> state & 1u) != 0) {
            u16 narrow[N];
            load(tensor.buffers[Kernel::buffer(state)], span, narrow);
            UNROLL
            for (int i = 0; i < N; i++) states[state][i] = widen_bfloat16(narrow[i]);
        } else {
            load(tensor.buffers[Kernel::buffer(state)], span, states[state]);
        }
    }
}

template <class Kernel, int N, u32 NARROW, class T>
DEVICE void store_states(const TensorEntry& tensor, const Span<N>& span, const T (&states)[Kernel::STATES + 1][N],
                         const T (&weights)[N]) {
    UNROLL
    for (int state = 0; state < Kernel::STATES; state++) {
        if ((NARROW >> state & 1u) != 0) {
            u16 narrow[N];
            UNROLL
            for (int i = 0; i < N; i++) {
                narrow[i] = narrow_stochastically(static_cast<float>(states[state][i]),
                                                  static_cast<float>(weights[i]), span.first + i);
            }
            store(tensor.buffers[Kernel::buffer(state)], span, narrow);
        } else {
            store(tensor.buffers[Kernel::buffer(state)], span, states[state]);
        }
    }
}

// Stores new weights, rounds them to a parameter of 16 bits, and updates the moving average.
template <class E> DEVICE void store_weights(const TensorEntry& tensor, const Span<E::SPAN>& span,
                                             const typename E::Scalar (&weights)[E::SPAN]) {
    typedef typename E::Scalar T;
    if (E::IS_NARROW) {
        store(tensor.buffers[MASTER], span, weights);
        typename E::Stored parameters[E::SPAN];
        UNROLL
        for (int i = 0; i < E::SPAN; i++) parameters[i] = E::narrow(weights[i]);
        store(tensor.parameter, span, parameters);
    } else {
        store(tensor.parameter, span, weights);
    }
    if (tensor.buffers[PARAM_AVERAGE] == 0) return;
    if (tensor.created_average != 0) {
        store(tensor.buffers[PARAM_AVERAGE], span, weights);
        return;
    }
    T averages[E::SPAN];
    load(tensor.buffers[PARAM_AVERAGE], span, averages);
    const T past = static_cast<T>(tensor.average_decay), rest = static_cast<T>(1.0 - tensor.average_decay);
    const bool is_slow = tensor.average_decay > 0.5;
    UNROLL
    for (int i = 0; i < E::SPAN; i++) {
        const T difference = weights[i] - averages[i];
        averages[i] = is_slow ? averages[i] + rest * difference : weights[i] - difference * past;
    }
    store(tensor.buffers[PARAM_AVERAGE], span, averages);
}

// Zeroes the gradients of a chunk.
template <class E> DEVICE void zero_gradients(const TensorEntry& tensor, const ChunkEntry& chunk) {
    const typename E::Stored zeros[E::SPAN] = {};
    const bool aligned = is_aligned(tensor);
    FOR_THREADS {
        for (u32 index = thread * E::SPAN; index < chunk.length; index += BLOCK_THREADS * E::SPAN) {
            store(tensor.gradient, span_of<E::SPAN>(chunk, index, aligned), zeros);
        }
    }
}

// Runs a formula on the elements of a chunk from `start` to `end`, and stores the state. Then calls
// `finish(span, index, weights, updates, refreshed)` for each span, whose first element has this index in the chunk.
template <class Kernel, class E, u32 NARROW, class Finish>
DEVICE void run_formula(const Launch& launch, const Kernel& kernel, const ChunkEntry& chunk, const TensorEntry& tensor,
                        u32 start, u32 end, const Finish& finish) {
    typedef typename E::Scalar T;
    constexpr int N = E::SPAN;
    const TransformEntry transform = transform_of(launch);
    const bool zeroes = launch.settings->zeroes_gradients != 0, aligned = is_aligned(tensor);
    FOR_THREADS {
        for (u32 index = start + thread * N; index < end; index += BLOCK_THREADS * N) {
            const Span<N> span = span_of<N>(chunk, index, aligned);
            T weights[N], gradients[N], updates[N], states[Kernel::STATES + 1][N];
            const bool refreshed = load_weights<E>(tensor, span, true, weights);
            load_gradients<E>(tensor, span, zeroes, gradients);
            load_states<Kernel, N, NARROW>(tensor, span, states);
            UNROLL
            for (int i = 0; i < N; i++) {
                T element[Kernel::STATES + 1];
                UNROLL
                for (int state = 0; state < Kernel::STATES; state++) element[state] = states[state][i];
                kernel.run(weights[i], transformed(gradients[i], transform), element, updates[i]);
                UNROLL
                for (int state = 0; state < Kernel::STATES; state++) states[state][i] = element[state];
            }
            store_states<Kernel, N, NARROW>(tensor, span, states, weights);
            finish(span, index, weights, updates, refreshed);
        }
    }
}

// True if the step is skipped; its gradients are then zeroed if asked to.
template <class E> DEVICE bool skips(const Launch& launch, const TensorEntry& tensor, const ChunkEntry& chunk) {
    if (!is_skipped(launch)) return false;
    if (launch.settings->zeroes_gradients != 0) zero_gradients<E>(tensor, chunk);
    return true;
}

template <class E> struct StoreWeights {
    const TensorEntry& tensor;
    template <class T>
    METHOD void operator()(const Span<E::SPAN>& span, u32, const T (&weights)[E::SPAN], const T (&)[E::SPAN],
                           bool) const {
        store_weights<E>(tensor, span, weights);
    }
};

// The step of a rule with one stage, on a chunk.
template <template <class> class RuleKernel, class E, u32 NARROW> DEVICE void step_chunk(const Launch& launch) {
    typedef RuleKernel<typename E::Scalar> Kernel;
    const ChunkEntry chunk = launch.chunks[launch.block];
    const TensorEntry tensor = launch.tensors[chunk.tensor];
    if (skips<E>(launch, tensor, chunk)) {
        count_skipped(launch);
        return;
    }
    const Kernel kernel(constants_of(launch, tensor.row).values);
    run_formula<Kernel, E, NARROW>(launch, kernel, chunk, tensor, 0, chunk.length, StoreWeights<E>{tensor});
}
