// The norm of all gradients, and the transform and constants that follow from it.

struct GradientWorkspace {
    SumWorkspace sum;
    u32 non_finite, is_last;
};

// Loads the transformed gradients of a pass into the workspace, and marks elements that are not finite.
template <class E>
DEVICE void load_pass(GradientWorkspace& shared, const TensorEntry& tensor, const ChunkEntry& chunk, u32 start,
                      const TransformEntry& transform) {
    typedef typename E::Scalar T;
    constexpr int N = E::SPAN;
    T* elements = reinterpret_cast<T*>(shared.sum.elements);
    const bool aligned = is_aligned(tensor);
    const u32 end = chunk.length - start < Pass<T>::LENGTH ? chunk.length : start + Pass<T>::LENGTH;
    FOR_THREADS {
        for (u32 index = start + thread * N; index < end; index += BLOCK_THREADS * N) {
            T gradients[N];
            load_gradients<E>(tensor, span_of<N>(chunk, index, aligned), false, gradients);
            UNROLL
            for (int i = 0; i < N; i++) {
                if (!is_finite(gradients[i])) shared.non_finite = 1;
                elements[index - start + i] = transformed(gradients[i], transform);
            }
        }
    }
    BARRIER();
}

// Sums the squares of a chunk as one slice, which is the order for gradients that are summed as they are in memory.
template <class E>
DEVICE void sum_whole_chunk(GradientWorkspace& shared, const TensorEntry& tensor, const ChunkEntry& chunk,
                            const TransformEntry& transform) {
    typedef typename E::Scalar T;
    const T* elements = reinterpret_cast<const T*>(shared.sum.elements);
    bool in_double = false;
    for (u32 attempt = 0; attempt < 2; attempt++) {
        for (u32 start = 0; start < chunk.length; start += Pass<T>::LENGTH) {
            load_pass<E>(shared, tensor, chunk, start, transform);
            const u32 rest = chunk.length - start, length = rest < Pass<T>::LENGTH ? rest : Pass<T>::LENGTH;
            FOR_THREADS {
                if (thread < LANES) {
                    const double sum = start == 0 ? 0.0 : shared.sum.lanes[thread];
                    shared.sum.lanes[thread] = in_double ? add_lane_in_double(sum, elements, length, thread)
                                                         : add_lane(sum, elements, length, thread);
                }
            }
            BARRIER();
        }
        FOR_THREADS {
            if (thread < 8) shared.sum.eighths[thread] = eighth_of(shared.sum.lanes, thread);
        }
        BARRIER();
        FOR_THREADS {
            if (thread == 0)
                shared.sum.sum = chunk.length < LANES ? sum_few(elements, chunk.length) : total_of(shared.sum.eighths);
        }
        BARRIER();
        in_double = chunk.length >= LANES && !is_accurate(T(0), shared.sum.sum);
        if (!in_double) break;
        BARRIER();
    }
}

// Sums the squares of a chunk block by block.
template <class E>
DEVICE void sum_chunk_by_blocks(GradientWorkspace& shared, const TensorEntry& tensor, const ChunkEntry& chunk,
                                const TransformEntry& transform) {
    typedef typename E::Scalar T;
    for (u32 start = 0; start < chunk.length; start += Pass<T>::LENGTH) {
        load_pass<E>(shared, tensor, chunk, start, transform);
        const u32 rest = chunk.length - start;
        add_blocks<T, false>(shared.sum, rest < Pass<T>::LENGTH ? rest : Pass<T>::LENGTH);
    }
}

// Sums the squares of the gradient of a chunk after a transform.
template <class E>
DEVICE void sum_gradient_chunk(const Launch& launch, GradientWorkspace& shared, const TransformEntry& transform) {
    const ChunkEntry chunk = launch.chunks[launch.block];
    const TensorEntry tensor = launch.tensors[chunk.tensor];
    if (transform.kind == 0 && !E::IS_NARROW) sum_whole_chunk<E>(shared, tensor, chunk, transform);
    else sum_chunk_by_blocks<E>(shared, tensor, chunk, transform);
}

// The transform before the sum of `gradient_squares`. A norm that clips is of the gradients in memory. Otherwise the
// transform is known before the norm, and a rule that uses the norm needs it of the transformed gradients alone.
DEVICE TransformEntry transform_before_norm(const StepSettings& settings) {
    if (settings.clips_norm == 0 && settings.uses_norm != 0) return settings.transform;
    return {1.0, 0.0, 0, 0};
}

// The transform for gradients with this norm: as Clip::transform and GradientTransform::after_scaling.
DEVICE TransformEntry transform_for_norm(const StepSettings& settings, double raw_norm) {
    const double unscale = settings.unscale;
    const double scale = settings.max_norm / (raw_norm * unscale + 1e-6);
    if (scale >= 1.0) return {unscale == 1.0 ? 1.0 : unscale, 0.0, unscale == 1.0 ? 0u : 1u, 0};
    return {unscale == 1.0 ? scale : scale * unscale, 0.0, 1, 0};
}

struct GradientSum {
    const SquaresEntry* squares;
    METHOD double operator()(u32 chunk) const { return fresh(squares[chunk].gradient); }
};

DEVICE void clear(GradientWorkspace& shared) {
    FOR_THREADS {
        if (thread == 0) {
            shared.sum.sum = 0.0;
            shared.non_finite = 0;
        }
    }
    BARRIER();
}

// Stores the sum of a chunk. In the last block of the launch, adds all chunks: sets `shared.sum.sum` and
// `shared.non_finite`, and returns true.
DEVICE bool finish_chunk(const Launch& launch, GradientWorkspace& shared) {
    FOR_THREADS {
        if (thread == 0) {
            SquaresEntry& squares = launch.squares[launch.block];
            squares.gradient = shared.sum.sum;
            squares.non_finite = shared.non_finite;
            FENCE();
            shared.is_last = count(&launch.control->finished) + 1 == launch.blocks ? 1 : 0;
            FENCE();
        }
    }
    BARRIER();
    if (shared.is_last == 0) return false;
    FOR_THREADS {
        for (u32 chunk = thread; chunk < launch.blocks; chunk += BLOCK_THREADS) {
            if (fresh(launch.squares[chunk].non_finite) != 0) shared.non_finite = 1;
        }
        if (thread == 0) launch.control->finished = 0;
    }
    BARRIER();
    add_in_order(shared.sum, 0, launch.blocks, GradientSum{launch.squares});
    return true;
}

// Sets the norm, and the constants that follow from it.
DEVICE void set_norm(const Launch& launch, double norm) {
    FOR_THREADS {
        if (thread == 0) launch.control->norm = norm;
        if (launch.settings->uses_norm != 0) {
            for (u32 row = thread; row < launch.settings->rows; row += BLOCK_THREADS) {
                ConstantsRow& constants = constants_of(launch, row);
                constants_from_norm(norm, constants.norm_inputs, constants.is_single != 0, constants.values);
            }
        }
    }
}

// The end of `gradient_squares`.
DEVICE void finish_gradient_squares(const Launch& launch, GradientWorkspace& shared) {
    if (!finish_chunk(launch, shared)) return;
    const double norm = sqrt(shared.sum.sum);
    const StepSettings& settings = *launch.settings;
    const TransformEntry transform = settings.clips_norm != 0 ? transform_for_norm(settings, norm) : settings.transform;
    FOR_THREADS {
        if (thread == 0) {
            launch.control->transform = transform;
            launch.control->non_finite = shared.non_finite;
        }
    }
    if (settings.clips_norm == 0 || transform.kind == 0) set_norm(launch, norm);
}

// The end of `transformed_squares`.
DEVICE void finish_transformed_squares(const Launch& launch, GradientWorkspace& shared) {
    if (finish_chunk(launch, shared)) set_norm(launch, sqrt(shared.sum.sum));
}
