// Written by `cargo test -p stepwell-session generated` from the tables of layers; not to be edited.

/** A linear map of the last dimension. */
export interface LinearOptions {
  /** Size of the last dimension of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly in_features?: number;
  /** Size of the last dimension of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_features?: number;
  /** Add a bias. Default true. */
  readonly bias?: boolean;
}

/** A convolution of images. */
export interface Conv2dOptions {
  /** Channels of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly in_channels?: number;
  /** Channels of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_channels?: number;
  /** Height and width of the kernel. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
  /** Zeros added on each side. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Distance between two elements of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** Groups of channels that do not see each other. A whole number >= 1. Default 1. */
  readonly groups?: number;
  /** Add a bias. Default true. */
  readonly bias?: boolean;
}

/** The largest element of each window of an image. */
export interface Maxpool2dOptions {
  /** Height and width of the window. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Rows and columns of -infinity added on each side; at most half the window. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Distance between two elements of the window. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
}

/** Several dimensions become one. */
export interface FlattenOptions {
  /** First dimension; negative from the end. Default 1. */
  readonly start?: number;
  /** PyTorch's name of `start`. */
  readonly start_dim?: number;
  /** Last dimension; negative from the end. Default -1. */
  readonly end?: number;
  /** PyTorch's name of `end`. */
  readonly end_dim?: number;
}

/** x times the share of a normal distribution below x. */
export interface GeluOptions {
  /** Use the tanh approximation. Default false. */
  readonly tanh?: boolean;
}

/** Elements set to 0 at random while training. */
export interface DropoutOptions {
  /** Probability of an element to become 0. A number in [0, 1]. Default 0.5. */
  readonly p?: number;
}

/** Each channel normalised over the batch. */
export interface BatchnormOptions {
  /** Channels. A whole number >= 1. */
  readonly channels?: number;
  /** PyTorch's name of `channels`. */
  readonly num_features?: number;
  /** Added to the variance. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** Share of a batch in the running statistics. A number in [0, 1]. Default 0.1. */
  readonly momentum?: number;
  /** Train a scale and a shift for each channel. Default true. */
  readonly affine?: boolean;
  /** Keep running statistics for evaluation. Default true. */
  readonly track?: boolean;
  /** PyTorch's name of `track`. */
  readonly track_running_stats?: boolean;
}

/** Each sample normalised over its last dimensions. */
export interface LayernormOptions {
  /** Sizes of the dimensions to normalise over. A whole number >= 1. */
  readonly shape?: number | readonly number[];
  /** PyTorch's name of `shape`. */
  readonly normalized_shape?: number | readonly number[];
  /** Added to the variance. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** Train a scale and a shift for each element. Default true. */
  readonly affine?: boolean;
  /** PyTorch's name of `affine`. */
  readonly elementwise_affine?: boolean;
}

/** A vector for each index. */
export interface EmbeddingOptions {
  /** Vectors in the table. A whole number >= 1. */
  readonly rows?: number;
  /** PyTorch's name of `rows`. */
  readonly num_embeddings?: number;
  /** Elements of a vector. A whole number >= 1. */
  readonly columns?: number;
  /** PyTorch's name of `columns`. */
  readonly embedding_dim?: number;
}

/** The options of each layer, by name. */
export interface LayerOptionsOf {
  /** A linear map of the last dimension. */
  readonly linear: LinearOptions;
  /** A convolution of images. */
  readonly conv2d: Conv2dOptions;
  /** The largest element of each window of an image. */
  readonly maxpool2d: Maxpool2dOptions;
  /** Several dimensions become one. */
  readonly flatten: FlattenOptions;
  /** The larger of 0 and x. */
  readonly relu: Readonly<Record<string, never>>;
  /** The hyperbolic tangent. */
  readonly tanh: Readonly<Record<string, never>>;
  /** 1 / (1 + exp(-x)). */
  readonly sigmoid: Readonly<Record<string, never>>;
  /** x times the share of a normal distribution below x. */
  readonly gelu: GeluOptions;
  /** Elements set to 0 at random while training. */
  readonly dropout: DropoutOptions;
  /** Each channel normalised over the batch. */
  readonly batchnorm: BatchnormOptions;
  /** Each sample normalised over its last dimensions. */
  readonly layernorm: LayernormOptions;
  /** A vector for each index. */
  readonly embedding: EmbeddingOptions;
}
