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

/** Two inputs joined along a dimension. */
export interface CatOptions {
  /** The dimension along which inputs are joined; a negative one counts from the last. Default 0. */
  readonly dim?: number;
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
  /** Two inputs joined along a dimension. */
  readonly cat: CatOptions;
}

/** The kinds of layers. */
export const layerKinds = [
  "linear",
  "conv2d",
  "maxpool2d",
  "flatten",
  "relu",
  "tanh",
  "sigmoid",
  "gelu",
  "dropout",
  "batchnorm",
  "layernorm",
  "embedding",
  "cat",
] as const;

/** The kind of a layer. */
export type LayerKind =
  | "linear"
  | "conv2d"
  | "maxpool2d"
  | "flatten"
  | "relu"
  | "tanh"
  | "sigmoid"
  | "gelu"
  | "dropout"
  | "batchnorm"
  | "layernorm"
  | "embedding"
  | "cat";

/** The kinds of containers. */
export const containerKinds = [
  "sequential",
  "seqnest",
  "seqlist",
  "seqdict",
  "seqjoin",
  "residual",
  "fork",
  "nbeats",
  "transform",
  "moduledict",
  "modulelist",
] as const;

/** The kind of a container. */
export type ContainerKind =
  | "sequential"
  | "seqnest"
  | "seqlist"
  | "seqdict"
  | "seqjoin"
  | "residual"
  | "fork"
  | "nbeats"
  | "transform"
  | "moduledict"
  | "modulelist";

/** One option under one of its names. */
type OneOf<Options, Name extends keyof Options> = { [Key in Name]-?: Required<Pick<Options, Key>> }[Name];

/** Options of `linear` that have a default. */
export type LinearDefaults = Pick<LinearOptions, "bias">;

/** The option `inputs` of `linear`, under one of its names. */
export type LinearInputs = OneOf<LinearOptions, "inputs" | "in_features">;

/** The option `outputs` of `linear`, under one of its names. */
export type LinearOutputs = OneOf<LinearOptions, "outputs" | "out_features">;

/** Forms of the options of `linear`. */
export interface LinearForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    outputs: number,
    bias?: boolean | LinearDefaults,
    options?: LinearDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: LinearDefaults & LinearOutputs];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: LinearDefaults & LinearInputs & LinearOutputs];
}

/** Options of `conv2d` that have a default. */
export type Conv2dDefaults = Pick<
  Conv2dOptions,
  "stride" | "pad" | "padding" | "dilate" | "dilation" | "groups" | "bias"
>;

/** The option `inputs` of `conv2d`, under one of its names. */
export type Conv2dInputs = OneOf<Conv2dOptions, "inputs" | "in_channels">;

/** The option `outputs` of `conv2d`, under one of its names. */
export type Conv2dOutputs = OneOf<Conv2dOptions, "outputs" | "out_channels">;

/** The option `size` of `conv2d`, under one of its names. */
export type Conv2dSize = OneOf<Conv2dOptions, "size" | "kernel_size">;

/** Forms of the options of `conv2d`. */
export interface Conv2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    outputs: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | Conv2dDefaults,
    pad?: number | readonly number[] | Conv2dDefaults,
    dilate?: number | readonly number[] | Conv2dDefaults,
    groups?: number | Conv2dDefaults,
    bias?: boolean | Conv2dDefaults,
    options?: Conv2dDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, outputs: number, options: Conv2dDefaults & Conv2dSize];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: Conv2dDefaults & Conv2dOutputs & Conv2dSize];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Conv2dDefaults & Conv2dInputs & Conv2dOutputs & Conv2dSize];
}

/** Options of `maxpool2d` that have a default. */
export type Maxpool2dDefaults = Pick<Maxpool2dOptions, "stride" | "pad" | "padding" | "dilate" | "dilation">;

/** The option `size` of `maxpool2d`, under one of its names. */
export type Maxpool2dSize = OneOf<Maxpool2dOptions, "size" | "kernel_size">;

/** Forms of the options of `maxpool2d`. */
export interface Maxpool2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Maxpool2dDefaults,
    pad?: number | readonly number[] | Maxpool2dDefaults,
    dilate?: number | readonly number[] | Maxpool2dDefaults,
    options?: Maxpool2dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Maxpool2dDefaults & Maxpool2dSize];
}

/** Forms of the options of `flatten`. */
export interface FlattenForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    start?: number | FlattenOptions,
    end?: number | FlattenOptions,
    options?: FlattenOptions,
  ];
}

/** Forms of the options of `gelu`. */
export interface GeluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [tanh?: boolean | GeluOptions, options?: GeluOptions];
}

/** Forms of the options of `dropout`. */
export interface DropoutForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [p?: number | DropoutOptions, options?: DropoutOptions];
}

/** Options of `batchnorm` that have a default. */
export type BatchnormDefaults = Pick<BatchnormOptions, "eps" | "momentum" | "affine" | "track" | "track_running_stats">;

/** The option `channels` of `batchnorm`, under one of its names. */
export type BatchnormChannels = OneOf<BatchnormOptions, "channels" | "num_features">;

/** Forms of the options of `batchnorm`. */
export interface BatchnormForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    channels: number,
    eps?: number | BatchnormDefaults,
    momentum?: number | BatchnormDefaults,
    affine?: boolean | BatchnormDefaults,
    track?: boolean | BatchnormDefaults,
    options?: BatchnormDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: BatchnormDefaults & BatchnormChannels];
}

/** Options of `layernorm` that have a default. */
export type LayernormDefaults = Pick<LayernormOptions, "eps" | "affine" | "elementwise_affine">;

/** The option `shape` of `layernorm`, under one of its names. */
export type LayernormShape = OneOf<LayernormOptions, "shape" | "normalized_shape">;

/** Forms of the options of `layernorm`. */
export interface LayernormForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    shape: number | readonly number[],
    eps?: number | LayernormDefaults,
    affine?: boolean | LayernormDefaults,
    options?: LayernormDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: LayernormDefaults & LayernormShape];
}

/** The option `rows` of `embedding`, under one of its names. */
export type EmbeddingRows = OneOf<EmbeddingOptions, "rows" | "num_embeddings">;

/** The option `columns` of `embedding`, under one of its names. */
export type EmbeddingColumns = OneOf<EmbeddingOptions, "columns" | "embedding_dim">;

/** Forms of the options of `embedding`. */
export interface EmbeddingForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [rows: number, columns: number];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [rows: number, options: EmbeddingColumns];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: EmbeddingRows & EmbeddingColumns];
}

/** Forms of the options of `cat`. */
export interface CatForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim?: number | CatOptions, options?: CatOptions];
}

/** Forms of the options of a layer without options. */
export interface NoOptionsForms {
  /** Nothing. */
  readonly positions: readonly [];
}

/** The forms of the options of each layer, by its kind. */
export interface LayerFormsOf {
  /** A linear map of the last dimension. */
  readonly linear: LinearForms;
  /** A convolution of images. */
  readonly conv2d: Conv2dForms;
  /** The largest element of each window of an image. */
  readonly maxpool2d: Maxpool2dForms;
  /** Several dimensions become one. */
  readonly flatten: FlattenForms;
  /** The larger of 0 and x. */
  readonly relu: NoOptionsForms;
  /** The hyperbolic tangent. */
  readonly tanh: NoOptionsForms;
  /** 1 / (1 + exp(-x)). */
  readonly sigmoid: NoOptionsForms;
  /** x times the share of a normal distribution below x. */
  readonly gelu: GeluForms;
  /** Elements set to 0 at random while training. */
  readonly dropout: DropoutForms;
  /** Each channel normalised over the batch. */
  readonly batchnorm: BatchnormForms;
  /** Each sample normalised over its last dimensions. */
  readonly layernorm: LayernormForms;
  /** A vector for each index. */
  readonly embedding: EmbeddingForms;
  /** Two inputs joined along a dimension. */
  readonly cat: CatForms;
}
