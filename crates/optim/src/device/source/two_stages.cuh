// Rules with two stages: measure the update of a tensor, then subtract it times a factor of two norms.

struct MeasureWorkspace {
    SumWorkspace parameter, update;
    u32 is_last;
};

struct ParameterSum {
    const SquaresEntry* squares;
    METHOD double operator()(u32 chunk) const { return fresh(squares[chunk].parameter); }
};

struct UpdateSum {
    const SquaresEntry* squares;
    METHOD double operator()(u32 chunk) const { return fresh(squares[chunk].update); }
};

// Keeps weights and updates of a pass for their sums, and stores master weights that have changed.
template <class E> struct KeepUpdates {
    typedef typename E::Scalar T;
    const TensorEntry& tensor;
    T *parameters, *updates;
    u32 start;
    METHOD void operator()(const Span<E::SPAN>& span, u32 index, const T (&weights)[E::SPAN],
                           const T (&own_updates)[E::SPAN], bool refreshed) const {
        if (refreshed) store(tensor.buffers[MASTER], span, weights);
        UNROLL
        for (int i = 0; i < E::SPAN; i++) {
            parameters[index - start + i] = weights[i];
            updates[index - start + i] = own_updates[i];
        }
    }
};

// Runs the first stage on a chunk. The last block of a tensor computes its factor.
template <template <class> class RuleKernel, class E, u32 NARROW>
DEVICE void measure_chunk(const Launch& launch, MeasureWorkspace& shared) {
    typedef typename E::Scalar T;
    typedef RuleKernel<T> Kernel;
    const ChunkEntry chunk = launch.chunks[launch.block];
    const TensorEntry tensor = launch.tensors[chunk.tensor];
    if (skips<E>(launch, tensor, chunk)) return;
    const Kernel kernel(constants_of(launch, tensor.row).values);
    T* parameters = reinterpret_cast<T*>(shared.parameter.elements);
    T* updates = reinterpret_cast<T*>(shared.update.elements);
    FOR_THREADS {
        if (thread == 0) shared.parameter.sum = shared.update.sum = 0.0;
    }
    for (u32 start = 0; start < chunk.length; start += Pass<T>::LENGTH) {
        const u32 rest = chunk.length - start, length = rest < Pass<T>::LENGTH ? rest : Pass<T>::LENGTH;
        BARRIER();
        run_formula<Kernel, E, NARROW>(launch, kernel, chunk, tensor, start, start + length,
                                       KeepUpdates<E>{tensor, parameters, updates, start});
        BARRIER();
        add_blocks<T, true>(shared.parameter, length);
        add_blocks<T, true>(shared.update, length);
    }
    FOR_THREADS {
        if (thread == 0) {
            SquaresEntry& squares = launch.squares[launch.block];
            squares.parameter = shared.parameter.sum;
            squares.update = shared.update.sum;
            FENCE();
            shared.is_last = count(&launch.factors[chunk.tensor].finished) + 1 == tensor.chunks ? 1 : 0;
            FENCE();
        }
    }
    BARRIER();
    if (shared.is_last == 0) return;
    const u32 end = tensor.first_chunk + tensor.chunks;
    add_in_order(shared.parameter, tensor.first_chunk, end, ParameterSum{launch.squares});
    add_in_order(shared.update, tensor.first_chunk, end, UpdateSum{launch.squares});
    FOR_THREADS {
        if (thread == 0) {
            FactorEntry& entry = launch.factors[chunk.tensor];
            const double* inputs = constants_of(launch, tensor.row).norm_inputs;
            entry.factor = factor_of_norms(inputs, sqrt(shared.parameter.sum), sqrt(shared.update.sum));
            entry.finished = 0;
        }
    }
}

// Runs the second stage on a chunk: computes the update again from the state.
template <template <class> class RuleKernel, class E, u32 NARROW> DEVICE void apply_chunk(const Launch& launch) {
    typedef typename E::Scalar T;
    typedef RuleKernel<T> Kernel;
    constexpr int N = E::SPAN;
    if (is_skipped(launch)) {
        count_skipped(launch);
        return;
    }
    const ChunkEntry chunk = launch.chunks[launch.block];
    const TensorEntry tensor = launch.tensors[chunk.tensor];
    const Kernel kernel(constants_of(launch, tensor.row).values, launch.factors[chunk.tensor].factor);
    const bool aligned = is_aligned(tensor);
    FOR_THREADS {
        for (u32 index = thread * N; index < chunk.length; index += BLOCK_THREADS * N) {
            const Span<N> span = span_of<N>(chunk, index, aligned);
            T weights[N], states[Kernel::STATES + 1][N], update;
            load_weights<E>(tensor, span, false, weights);
            load_states<Kernel, N, NARROW>(tensor, span, states);
            UNROLL
            for (int i = 0; i < N; i++) {
                T element[Kernel::STATES + 1];
                UNROLL
                for (int state = 0; state < Kernel::STATES; state++) element[state] = states[state][i];
                kernel.run(weights[i], T(0), element, update);
            }
            store_weights<E>(tensor, span, weights);
        }
    }
}
