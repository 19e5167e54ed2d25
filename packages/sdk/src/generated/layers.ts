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

/** A convolution of sequences. */
export interface Conv1dOptions {
  /** Channels of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly in_channels?: number;
  /** Channels of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_channels?: number;
  /** Size of the kernel, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
  /** Elements added on each side. A whole number in [0, 1073741823]. Default 0. */
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
  /** The elements that are added. Default "zeros". */
  readonly padmode?: "zeros" | "reflect" | "replicate" | "circular";
  /** PyTorch's name of `padmode`. */
  readonly padding_mode?: "zeros" | "reflect" | "replicate" | "circular";
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
  /** Size of the kernel, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
  /** Elements added on each side. A whole number in [0, 1073741823]. Default 0. */
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
  /** The elements that are added. Default "zeros". */
  readonly padmode?: "zeros" | "reflect" | "replicate" | "circular";
  /** PyTorch's name of `padmode`. */
  readonly padding_mode?: "zeros" | "reflect" | "replicate" | "circular";
}

/** A convolution of volumes. */
export interface Conv3dOptions {
  /** Channels of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly in_channels?: number;
  /** Channels of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_channels?: number;
  /** Size of the kernel, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
  /** Elements added on each side. A whole number in [0, 1073741823]. Default 0. */
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
  /** The elements that are added. Default "zeros". */
  readonly padmode?: "zeros" | "reflect" | "replicate" | "circular";
  /** PyTorch's name of `padmode`. */
  readonly padding_mode?: "zeros" | "reflect" | "replicate" | "circular";
}

/** A transposed convolution of sequences. */
export interface Convtranspose1dOptions {
  /** Channels of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly in_channels?: number;
  /** Channels of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_channels?: number;
  /** Size of the kernel, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the kernel in the output. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
  /** Elements removed on each side of the output. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Elements added at the end of the output; less than stride or dilation. A whole number in [0, 1073741823]. Default 0. */
  readonly outpad?: number | readonly number[];
  /** PyTorch's name of `outpad`. */
  readonly output_padding?: number | readonly number[];
  /** Groups of channels that do not see each other. A whole number >= 1. Default 1. */
  readonly groups?: number;
  /** Add a bias. Default true. */
  readonly bias?: boolean;
  /** Distance between two elements of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** The elements around the input. Default "zeros". */
  readonly padmode?: "zeros";
  /** PyTorch's name of `padmode`. */
  readonly padding_mode?: "zeros";
}

/** A transposed convolution of images. */
export interface Convtranspose2dOptions {
  /** Channels of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly in_channels?: number;
  /** Channels of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_channels?: number;
  /** Size of the kernel, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the kernel in the output. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
  /** Elements removed on each side of the output. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Elements added at the end of the output; less than stride or dilation. A whole number in [0, 1073741823]. Default 0. */
  readonly outpad?: number | readonly number[];
  /** PyTorch's name of `outpad`. */
  readonly output_padding?: number | readonly number[];
  /** Groups of channels that do not see each other. A whole number >= 1. Default 1. */
  readonly groups?: number;
  /** Add a bias. Default true. */
  readonly bias?: boolean;
  /** Distance between two elements of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** The elements around the input. Default "zeros". */
  readonly padmode?: "zeros";
  /** PyTorch's name of `padmode`. */
  readonly padding_mode?: "zeros";
}

/** A transposed convolution of volumes. */
export interface Convtranspose3dOptions {
  /** Channels of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly in_channels?: number;
  /** Channels of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_channels?: number;
  /** Size of the kernel, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the kernel in the output. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
  /** Elements removed on each side of the output. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Elements added at the end of the output; less than stride or dilation. A whole number in [0, 1073741823]. Default 0. */
  readonly outpad?: number | readonly number[];
  /** PyTorch's name of `outpad`. */
  readonly output_padding?: number | readonly number[];
  /** Groups of channels that do not see each other. A whole number >= 1. Default 1. */
  readonly groups?: number;
  /** Add a bias. Default true. */
  readonly bias?: boolean;
  /** Distance between two elements of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** The elements around the input. Default "zeros". */
  readonly padmode?: "zeros";
  /** PyTorch's name of `padmode`. */
  readonly padding_mode?: "zeros";
}

/** The windows of an image as columns. */
export interface UnfoldOptions {
  /** Height and width of the kernel. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two elements of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** Rows and columns of zeros added on each side. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Distance between two positions of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
}

/** The sums of columns at the elements of an image. */
export interface FoldOptions {
  /** Height and width of the output. A whole number in [1, 1073741823]. */
  readonly out?: number | readonly number[];
  /** PyTorch's name of `out`. */
  readonly output_size?: number | readonly number[];
  /** Height and width of the kernel. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two elements of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** Rows and columns around the output that the kernel covers too. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Distance between two positions of the kernel. A whole number in [1, 1073741823]. Default 1. */
  readonly stride?: number | readonly number[];
}

/** The largest element of each window of a sequence. */
export interface Maxpool1dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Elements of -infinity added on each side; at most half the window. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Distance between two elements of the window. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
}

/** The largest element of each window of an image. */
export interface Maxpool2dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Elements of -infinity added on each side; at most half the window. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Distance between two elements of the window. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
}

/** The largest element of each window of a volume. */
export interface Maxpool3dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Elements of -infinity added on each side; at most half the window. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Distance between two elements of the window. A whole number in [1, 1073741823]. Default 1. */
  readonly dilate?: number | readonly number[];
  /** PyTorch's name of `dilate`. */
  readonly dilation?: number | readonly number[];
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
}

/** The mean of each window of a sequence. */
export interface Avgpool1dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Zeros added on each side; at most half the window. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
  /** Count the zeros that are added. Default true. */
  readonly countpad?: boolean;
  /** PyTorch's name of `countpad`. */
  readonly count_include_pad?: boolean;
  /** The number that a sum is divided by; null for the number of elements. A whole number >= 1. Default null. */
  readonly divisor?: number | null;
  /** PyTorch's name of `divisor`. */
  readonly divisor_override?: number | null;
}

/** The mean of each window of an image. */
export interface Avgpool2dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Zeros added on each side; at most half the window. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
  /** Count the zeros that are added. Default true. */
  readonly countpad?: boolean;
  /** PyTorch's name of `countpad`. */
  readonly count_include_pad?: boolean;
  /** The number that a sum is divided by; null for the number of elements. A whole number >= 1. Default null. */
  readonly divisor?: number | null;
  /** PyTorch's name of `divisor`. */
  readonly divisor_override?: number | null;
}

/** The mean of each window of a volume. */
export interface Avgpool3dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Zeros added on each side; at most half the window. A whole number in [0, 1073741823]. Default 0. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
  /** Count the zeros that are added. Default true. */
  readonly countpad?: boolean;
  /** PyTorch's name of `countpad`. */
  readonly count_include_pad?: boolean;
  /** The number that a sum is divided by; null for the number of elements. A whole number >= 1. Default null. */
  readonly divisor?: number | null;
  /** PyTorch's name of `divisor`. */
  readonly divisor_override?: number | null;
}

/** The largest elements of parts of a sequence. */
export interface Adaptmax1dOptions {
  /** Size of the output, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly output_size?: number | readonly number[];
}

/** The largest elements of parts of an image. */
export interface Adaptmax2dOptions {
  /** Size of the output, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly output_size?: number | readonly number[];
}

/** The largest elements of parts of a volume. */
export interface Adaptmax3dOptions {
  /** Size of the output, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly output_size?: number | readonly number[];
}

/** The means of parts of a sequence. */
export interface Adaptavg1dOptions {
  /** Size of the output, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly output_size?: number | readonly number[];
}

/** The means of parts of an image. */
export interface Adaptavg2dOptions {
  /** Size of the output, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly output_size?: number | readonly number[];
}

/** The means of parts of a volume. */
export interface Adaptavg3dOptions {
  /** Size of the output, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly output_size?: number | readonly number[];
}

/** The norm of each window of a sequence. */
export interface Lppool1dOptions {
  /** The order of the norm. */
  readonly p?: number;
  /** PyTorch's name of `p`. */
  readonly norm_type?: number;
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
}

/** The norm of each window of an image. */
export interface Lppool2dOptions {
  /** The order of the norm. */
  readonly p?: number;
  /** PyTorch's name of `p`. */
  readonly norm_type?: number;
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Distance between two positions of the window; null for windows side by side. A whole number in [1, 1073741823]. Default null. */
  readonly stride?: number | readonly number[] | null;
  /** Let the last window be partly beyond the end. Default false. */
  readonly ceiling?: boolean;
  /** PyTorch's name of `ceiling`. */
  readonly ceil_mode?: boolean;
}

/** The largest elements of windows of an image at random distances. */
export interface Fmaxpool2dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Size of the output, for all dimensions or for each; null with a ratio. A whole number in [1, 1073741823]. Default null. */
  readonly outsize?: number | readonly number[] | null;
  /** PyTorch's name of `outsize`. */
  readonly output_size?: number | readonly number[] | null;
  /** Size of the output relative to the input; null with a size. A number in (0, 1). Default null. */
  readonly ratio?: number | readonly number[] | null;
  /** PyTorch's name of `ratio`. */
  readonly output_ratio?: number | readonly number[] | null;
}

/** The largest elements of windows of a volume at random distances. */
export interface Fmaxpool3dOptions {
  /** Size of the window, for all dimensions or for each. A whole number in [1, 1073741823]. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly kernel_size?: number | readonly number[];
  /** Size of the output, for all dimensions or for each; null with a ratio. A whole number in [1, 1073741823]. Default null. */
  readonly outsize?: number | readonly number[] | null;
  /** PyTorch's name of `outsize`. */
  readonly output_size?: number | readonly number[] | null;
  /** Size of the output relative to the input; null with a size. A number in (0, 1). Default null. */
  readonly ratio?: number | readonly number[] | null;
  /** PyTorch's name of `ratio`. */
  readonly output_ratio?: number | readonly number[] | null;
}

/** Elements around the last dimensions. */
export interface PadOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** The elements that are added. Default "constant". */
  readonly mode?: "constant" | "reflect" | "replicate" | "circular";
  /** The number that is added. Default 0. */
  readonly value?: number;
}

/** A number around the last dimension. */
export interface Pad1dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** The number that is added. Default 0. */
  readonly value?: number;
}

/** A number around the last two dimensions. */
export interface Pad2dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** The number that is added. Default 0. */
  readonly value?: number;
}

/** A number around the last three dimensions. */
export interface Pad3dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
  /** The number that is added. Default 0. */
  readonly value?: number;
}

/** The mirrored elements around the last dimension. */
export interface Reflect1dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
}

/** The mirrored elements around the last two dimensions. */
export interface Reflect2dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
}

/** The end elements around the last dimension. */
export interface Replicate1dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
}

/** The end elements around the last two dimensions. */
export interface Replicate2dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
}

/** The end elements around the last three dimensions. */
export interface Replicate3dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
}

/** Zeros around the last two dimensions. */
export interface Zeropad2dOptions {
  /** Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements. A whole number in [-1073741823, 1073741823]. */
  readonly pad?: number | readonly number[];
  /** PyTorch's name of `pad`. */
  readonly padding?: number | readonly number[];
}

/** An image in another size. */
export interface UpsampleOptions {
  /** Size of the output, for all dimensions or for each; null with a scale. A whole number in [1, 1073741823]. Default null. */
  readonly size?: number | readonly number[] | null;
  /** Size of the output relative to the input; null with a size. A number > 0. Default null. */
  readonly scale?: number | readonly number[] | null;
  /** PyTorch's name of `scale`. */
  readonly scale_factor?: number | readonly number[] | null;
  /** How elements are found between others. Default "nearest". */
  readonly mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact";
  /** Keep the centers of the corner elements, instead of the corners, for modes that are linear or cubic. Default null. */
  readonly align?: boolean | null;
  /** PyTorch's name of `align`. */
  readonly align_corners?: boolean | null;
}

/** An image in another size, with a scale that may be computed again. */
export interface InterpolateOptions {
  /** Size of the output, for all dimensions or for each; null with a scale. A whole number in [1, 1073741823]. Default null. */
  readonly size?: number | readonly number[] | null;
  /** Size of the output relative to the input; null with a size. A number > 0. Default null. */
  readonly scale?: number | readonly number[] | null;
  /** PyTorch's name of `scale`. */
  readonly scale_factor?: number | readonly number[] | null;
  /** How elements are found between others. Default "nearest". */
  readonly mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact";
  /** Keep the centers of the corner elements, instead of the corners, for modes that are linear or cubic. Default null. */
  readonly align?: boolean | null;
  /** PyTorch's name of `align`. */
  readonly align_corners?: boolean | null;
  /** Compute the scale again from the rounded size. Default null. */
  readonly rescale?: boolean | null;
  /** PyTorch's name of `rescale`. */
  readonly recompute_scale_factor?: boolean | null;
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

/** Groups of channels of each sample normalised. */
export interface GroupnormOptions {
  /** Groups of channels; a divisor of the channels. A whole number >= 1. */
  readonly groups?: number;
  /** PyTorch's name of `groups`. */
  readonly num_groups?: number;
  /** Channels. A whole number >= 1. */
  readonly channels?: number;
  /** PyTorch's name of `channels`. */
  readonly num_channels?: number;
  /** Added to the variance. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** Train a scale and a shift for each channel. Default true. */
  readonly affine?: boolean;
}

/** Each channel of each sample normalised. */
export interface InstancenormOptions {
  /** Channels. A whole number >= 1. */
  readonly channels?: number;
  /** PyTorch's name of `channels`. */
  readonly num_features?: number;
  /** Added to the variance. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** Share of a batch in the running statistics. A number in [0, 1]. Default 0.1. */
  readonly momentum?: number;
  /** Train a scale and a shift for each channel. Default false. */
  readonly affine?: boolean;
  /** Keep running statistics for evaluation. Default false. */
  readonly track?: boolean;
  /** PyTorch's name of `track`. */
  readonly track_running_stats?: boolean;
}

/** Each sample divided by its root mean square over the last dimensions. */
export interface RmsnormOptions {
  /** Sizes of the dimensions to normalise over. A whole number >= 1. */
  readonly shape?: number | readonly number[];
  /** PyTorch's name of `shape`. */
  readonly normalized_shape?: number | readonly number[];
  /** Added to the mean square; null for the distance of 1 to the next number of the dtype, and of float for 16 bits. A number >= 0. Default null. */
  readonly eps?: number | null;
  /** Train a scale for each element. Default true. */
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
  /** An index whose vector starts as 0 and is not trained; negative from the end. Default null. */
  readonly padindex?: number | null;
  /** PyTorch's name of `padindex`. */
  readonly padding_idx?: number | null;
  /** Vectors that are looked up are first scaled in the table to at most this norm; null: they are not. A number >= 0. Default null. */
  readonly maxnorm?: number | null;
  /** PyTorch's name of `maxnorm`. */
  readonly max_norm?: number | null;
  /** The order of that norm. A number > 0. Default 2. */
  readonly p?: number;
  /** PyTorch's name of `p`. */
  readonly norm_type?: number;
}

/** Two inputs joined along a dimension. */
export interface CatOptions {
  /** The dimension along which inputs are joined; a negative one counts from the last. Default 0. */
  readonly dim?: number;
}

/** x where it is positive, else x times a weight that is trained. */
export interface PreluOptions {
  /** Weights: 1, or one for each channel of the input `[n, c, *]`. A whole number >= 1. Default 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly num_parameters?: number;
  /** Initial value of the weights. Default 0.25. */
  readonly init?: number;
}

/** The sum, mean or maximum of the vectors of each bag of indices. */
export interface EmbedbagOptions {
  /** Vectors in the table. A whole number >= 1. */
  readonly rows?: number;
  /** PyTorch's name of `rows`. */
  readonly num_embeddings?: number;
  /** Elements of a vector. A whole number >= 1. */
  readonly columns?: number;
  /** PyTorch's name of `columns`. */
  readonly embedding_dim?: number;
  /** Vectors that are looked up are first scaled in the table to at most this norm; null: they are not. A number >= 0. Default null. */
  readonly maxnorm?: number | null;
  /** PyTorch's name of `maxnorm`. */
  readonly max_norm?: number | null;
  /** The order of that norm. A number > 0. Default 2. */
  readonly p?: number;
  /** PyTorch's name of `p`. */
  readonly norm_type?: number;
  /** How the vectors of a bag become one. Default "mean". */
  readonly mode?: "sum" | "mean" | "max";
  /** An index that counts for nothing, whose vector starts as 0; negative from the end. Default null. */
  readonly padindex?: number | null;
  /** PyTorch's name of `padindex`. */
  readonly padding_idx?: number | null;
  /** The last offset is the end of the last bag. Default false. */
  readonly lastoffset?: boolean;
  /** PyTorch's name of `lastoffset`. */
  readonly include_last_offset?: boolean;
}

/** A vector for each position of a sequence. */
export interface EmbedposOptions {
  /** The largest length of a sequence. A whole number >= 1. */
  readonly rows?: number;
  /** Elements of a vector. A whole number >= 1. */
  readonly columns?: number;
}

/** The vector of each token, plus the vector of its position. */
export interface EmbedseqOptions {
  /** Vectors in the table of tokens. A whole number >= 1. */
  readonly rows?: number;
  /** Elements of a vector. A whole number >= 1. */
  readonly columns?: number;
  /** The largest length of a sequence. A whole number >= 1. */
  readonly length?: number;
}

/** Each class as a row of zeros with a 1. */
export interface OnehotOptions {
  /** How many classes; -1 for one more than the largest of the input. A whole number >= -1. Default -1. */
  readonly classes?: number;
  /** PyTorch's name of `classes`. */
  readonly num_classes?: number;
  /** The dtype of the result. Default "float". */
  readonly dtype?: "float" | "double" | "half" | "bfloat16" | "long" | "bool";
}

/** Simple recurrent cells over a sequence. Results: output and state. */
export interface RnnOptions {
  /** Size of the last dimension of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly input_size?: number;
  /** Size of the state. A whole number >= 1. */
  readonly hidden?: number;
  /** PyTorch's name of `hidden`. */
  readonly hidden_size?: number;
  /** Layers, of which each takes the output of the one before. A whole number in [1, 10000]. Default 1. */
  readonly layers?: number;
  /** PyTorch's name of `layers`. */
  readonly num_layers?: number;
  /** The function of a cell. Default "tanh". */
  readonly fn?: "tanh" | "relu";
  /** PyTorch's name of `fn`. */
  readonly nonlinearity?: "tanh" | "relu";
  /** Add a bias in both linear maps. Default true. */
  readonly bias?: boolean;
  /** The batch is the first dimension of input and output. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** Probability of an element between two layers to become 0 while training. A number in [0, 1]. Default 0. */
  readonly dropout?: number;
  /** Run in both directions. Default false. */
  readonly bi?: boolean;
  /** PyTorch's name of `bi`. */
  readonly bidirectional?: boolean;
}

/** Cells with a long short-term memory over a sequence. Results: output, state and memory. */
export interface LstmOptions {
  /** Size of the last dimension of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly input_size?: number;
  /** Size of the state. A whole number >= 1. */
  readonly hidden?: number;
  /** PyTorch's name of `hidden`. */
  readonly hidden_size?: number;
  /** Layers, of which each takes the output of the one before. A whole number in [1, 10000]. Default 1. */
  readonly layers?: number;
  /** PyTorch's name of `layers`. */
  readonly num_layers?: number;
  /** Add a bias in both linear maps. Default true. */
  readonly bias?: boolean;
  /** The batch is the first dimension of input and output. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** Probability of an element between two layers to become 0 while training. A number in [0, 1]. Default 0. */
  readonly dropout?: number;
  /** Run in both directions. Default false. */
  readonly bi?: boolean;
  /** PyTorch's name of `bi`. */
  readonly bidirectional?: boolean;
}

/** Gated recurrent cells over a sequence. Results: output and state. */
export interface GruOptions {
  /** Size of the last dimension of the input. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly input_size?: number;
  /** Size of the state. A whole number >= 1. */
  readonly hidden?: number;
  /** PyTorch's name of `hidden`. */
  readonly hidden_size?: number;
  /** Layers, of which each takes the output of the one before. A whole number in [1, 10000]. Default 1. */
  readonly layers?: number;
  /** PyTorch's name of `layers`. */
  readonly num_layers?: number;
  /** Add a bias in both linear maps. Default true. */
  readonly bias?: boolean;
  /** The batch is the first dimension of input and output. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** Probability of an element between two layers to become 0 while training. A number in [0, 1]. Default 0. */
  readonly dropout?: number;
  /** Run in both directions. Default false. */
  readonly bi?: boolean;
  /** PyTorch's name of `bi`. */
  readonly bidirectional?: boolean;
}

/** Attention of a query to keys and values with several heads, or of one input to itself. */
export interface AttentionOptions {
  /** Size of the last dimension of queries and results. A whole number >= 1. */
  readonly dim?: number;
  /** PyTorch's name of `dim`. */
  readonly embed_dim?: number;
  /** Parts of that dimension which attend on their own. A whole number >= 1. */
  readonly heads?: number;
  /** PyTorch's name of `heads`. */
  readonly num_heads?: number;
  /** Probability of a weight to become 0 while training. A number in [0, 1]. Default 0. */
  readonly dropout?: number;
  /** Add a bias in all linear maps. Default true. */
  readonly bias?: boolean;
  /** Train one more key and its value. Default false. */
  readonly addbias?: boolean;
  /** PyTorch's name of `addbias`. */
  readonly add_bias_kv?: boolean;
  /** Add one more key of zeros, with a value of zeros. Default false. */
  readonly addzero?: boolean;
  /** PyTorch's name of `addzero`. */
  readonly add_zero_attn?: boolean;
  /** Size of the last dimension of keys; null: as of queries. A whole number >= 1. Default null. */
  readonly kdim?: number | null;
  /** Size of the last dimension of values; null: as of queries. A whole number >= 1. Default null. */
  readonly vdim?: number | null;
  /** The batch is the first dimension of inputs and results. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** A query attends to keys at its position and before. Default false. */
  readonly causal?: boolean;
  /** PyTorch's name of `causal`. */
  readonly is_causal?: boolean;
  /** The weights are a second result: their mean over the heads. Default false. */
  readonly weights?: boolean;
  /** PyTorch's name of `weights`. */
  readonly need_weights?: boolean;
}

/** Attention of a sequence to itself with several heads. */
export interface SelfattentionOptions {
  /** Size of the last dimension of the input. A whole number >= 1. */
  readonly dim?: number;
  /** Parts of that dimension which attend on their own. A whole number >= 1. */
  readonly heads?: number;
  /** Probability of a weight to become 0 while training. A number in [0, 1]. Default 0. */
  readonly dropout?: number;
  /** Normalise the input first; the first linear map then adds no bias. Default false. */
  readonly norm?: boolean;
  /** A position attends to itself and to earlier ones. Default false. */
  readonly causal?: boolean;
  /** PyTorch's name of `causal`. */
  readonly is_causal?: boolean;
}

/** A layer of an encoder: self-attention and two linear maps. */
export interface EncoderlayerOptions {
  /** Size of the last dimension of inputs and results. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly d_model?: number;
  /** Heads of an attention. A whole number >= 1. */
  readonly heads?: number;
  /** PyTorch's name of `heads`. */
  readonly nhead?: number;
  /** Size between the two linear maps. A whole number >= 1. Default 2048. */
  readonly dim?: number;
  /** PyTorch's name of `dim`. */
  readonly dim_feedforward?: number;
  /** Probability of an element to become 0 while training. A number in [0, 1]. Default 0.1. */
  readonly dropout?: number;
  /** The function between the two linear maps. Default "relu". */
  readonly fn?: "relu" | "gelu";
  /** PyTorch's name of `fn`. */
  readonly activation?: "relu" | "gelu";
  /** Normalise before attention and linear maps, and not after them. Default false. */
  readonly normfirst?: boolean;
  /** PyTorch's name of `normfirst`. */
  readonly norm_first?: boolean;
  /** Added to the variance of a normalisation. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** PyTorch's name of `eps`. */
  readonly layer_norm_eps?: number;
  /** The batch is the first dimension of inputs and results. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** A position attends to itself and to earlier ones. Default false. */
  readonly causal?: boolean;
  /** PyTorch's name of `causal`. */
  readonly is_causal?: boolean;
}

/** A layer of a decoder: self-attention, attention to a memory, and two linear maps. */
export interface DecoderlayerOptions {
  /** Size of the last dimension of inputs and results. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly d_model?: number;
  /** Heads of an attention. A whole number >= 1. */
  readonly heads?: number;
  /** PyTorch's name of `heads`. */
  readonly nhead?: number;
  /** Size between the two linear maps. A whole number >= 1. Default 2048. */
  readonly dim?: number;
  /** PyTorch's name of `dim`. */
  readonly dim_feedforward?: number;
  /** Probability of an element to become 0 while training. A number in [0, 1]. Default 0.1. */
  readonly dropout?: number;
  /** The function between the two linear maps. Default "relu". */
  readonly fn?: "relu" | "gelu";
  /** PyTorch's name of `fn`. */
  readonly activation?: "relu" | "gelu";
  /** Normalise before attention and linear maps, and not after them. Default false. */
  readonly normfirst?: boolean;
  /** PyTorch's name of `normfirst`. */
  readonly norm_first?: boolean;
  /** Added to the variance of a normalisation. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** PyTorch's name of `eps`. */
  readonly layer_norm_eps?: number;
  /** The batch is the first dimension of inputs and results. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** A position attends to itself and to earlier ones. Default false. */
  readonly causal?: boolean;
  /** PyTorch's name of `causal`. */
  readonly is_causal?: boolean;
}

/** The encoder of a transformer: layers one after the other. */
export interface EncoderOptions {
  /** Size of the last dimension of inputs and results. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly d_model?: number;
  /** Heads of an attention. A whole number >= 1. */
  readonly heads?: number;
  /** PyTorch's name of `heads`. */
  readonly nhead?: number;
  /** How many layers. A whole number in [0, 10000]. */
  readonly layers?: number;
  /** PyTorch's name of `layers`. */
  readonly num_layers?: number;
  /** Size between the two linear maps of a layer. A whole number >= 1. Default 2048. */
  readonly dim?: number;
  /** PyTorch's name of `dim`. */
  readonly dim_feedforward?: number;
  /** Probability of an element to become 0 while training. A number in [0, 1]. Default 0.1. */
  readonly dropout?: number;
  /** The function between the two linear maps of a layer. Default "relu". */
  readonly fn?: "relu" | "gelu";
  /** PyTorch's name of `fn`. */
  readonly activation?: "relu" | "gelu";
  /** Normalise the result. Default false. */
  readonly norm?: boolean;
  /** Normalise before attention and linear maps, and not after them. Default false. */
  readonly normfirst?: boolean;
  /** PyTorch's name of `normfirst`. */
  readonly norm_first?: boolean;
  /** Added to the variance of a normalisation. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** PyTorch's name of `eps`. */
  readonly layer_norm_eps?: number;
  /** The batch is the first dimension of inputs and results. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** A position attends to itself and to earlier ones. Default false. */
  readonly causal?: boolean;
  /** PyTorch's name of `causal`. */
  readonly is_causal?: boolean;
}

/** The decoder of a transformer: layers one after the other. */
export interface DecoderOptions {
  /** Size of the last dimension of inputs and results. A whole number >= 1. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly d_model?: number;
  /** Heads of an attention. A whole number >= 1. */
  readonly heads?: number;
  /** PyTorch's name of `heads`. */
  readonly nhead?: number;
  /** How many layers. A whole number in [0, 10000]. */
  readonly layers?: number;
  /** PyTorch's name of `layers`. */
  readonly num_layers?: number;
  /** Size between the two linear maps of a layer. A whole number >= 1. Default 2048. */
  readonly dim?: number;
  /** PyTorch's name of `dim`. */
  readonly dim_feedforward?: number;
  /** Probability of an element to become 0 while training. A number in [0, 1]. Default 0.1. */
  readonly dropout?: number;
  /** The function between the two linear maps of a layer. Default "relu". */
  readonly fn?: "relu" | "gelu";
  /** PyTorch's name of `fn`. */
  readonly activation?: "relu" | "gelu";
  /** Normalise the result. Default false. */
  readonly norm?: boolean;
  /** Normalise before attention and linear maps, and not after them. Default false. */
  readonly normfirst?: boolean;
  /** PyTorch's name of `normfirst`. */
  readonly norm_first?: boolean;
  /** Added to the variance of a normalisation. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** PyTorch's name of `eps`. */
  readonly layer_norm_eps?: number;
  /** The batch is the first dimension of inputs and results. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** A position attends to itself and to earlier ones. Default false. */
  readonly causal?: boolean;
  /** PyTorch's name of `causal`. */
  readonly is_causal?: boolean;
}

/** An encoder of a source, and a decoder of a target that attends to its result. */
export interface TransformerOptions {
  /** Size of the last dimension of inputs and results. A whole number >= 1. Default 512. */
  readonly inputs?: number;
  /** PyTorch's name of `inputs`. */
  readonly d_model?: number;
  /** Heads of an attention. A whole number >= 1. Default 8. */
  readonly heads?: number;
  /** PyTorch's name of `heads`. */
  readonly nhead?: number;
  /** Layers of the encoder. A whole number in [0, 10000]. Default 6. */
  readonly elayers?: number;
  /** PyTorch's name of `elayers`. */
  readonly num_encoder_layers?: number;
  /** Layers of the decoder. A whole number in [0, 10000]. Default 6. */
  readonly dlayers?: number;
  /** PyTorch's name of `dlayers`. */
  readonly num_decoder_layers?: number;
  /** Size between the two linear maps of a layer. A whole number >= 1. Default 2048. */
  readonly dim?: number;
  /** PyTorch's name of `dim`. */
  readonly dim_feedforward?: number;
  /** Probability of an element to become 0 while training. A number in [0, 1]. Default 0.1. */
  readonly dropout?: number;
  /** The function between the two linear maps of a layer. Default "relu". */
  readonly fn?: "relu" | "gelu";
  /** PyTorch's name of `fn`. */
  readonly activation?: "relu" | "gelu";
  /** Normalise before attention and linear maps, and not after them. Default false. */
  readonly normfirst?: boolean;
  /** PyTorch's name of `normfirst`. */
  readonly norm_first?: boolean;
  /** Added to the variance of a normalisation. A number > 0. Default 1e-5. */
  readonly eps?: number;
  /** PyTorch's name of `eps`. */
  readonly layer_norm_eps?: number;
  /** The batch is the first dimension of inputs and results. Default false. */
  readonly batchfirst?: boolean;
  /** PyTorch's name of `batchfirst`. */
  readonly batch_first?: boolean;
  /** A position of the target attends to itself and to earlier ones. Default false. */
  readonly causal?: boolean;
  /** PyTorch's name of `causal`. */
  readonly tgt_is_causal?: boolean;
}

/** A map of two inputs that is linear in each. */
export interface BilinearOptions {
  /** Size of the last dimension of the first input. A whole number >= 1. */
  readonly in1?: number;
  /** PyTorch's name of `in1`. */
  readonly in1_features?: number;
  /** Size of the last dimension of the second input. A whole number >= 1. */
  readonly in2?: number;
  /** PyTorch's name of `in2`. */
  readonly in2_features?: number;
  /** Size of the last dimension of the output. A whole number >= 1. */
  readonly outputs?: number;
  /** PyTorch's name of `outputs`. */
  readonly out_features?: number;
  /** Add a bias. Default true. */
  readonly bias?: boolean;
}

/** x times the share of a normal distribution below x. */
export interface GeluOptions {
  /** Use the tanh approximation. Default false. */
  readonly tanh?: boolean;
}

/** x where it is positive, else slope x. */
export interface LeakyreluOptions {
  /** Factor of negative elements. Default 0.01. */
  readonly slope?: number;
  /** PyTorch's name of `slope`. */
  readonly negative_slope?: number;
}

/** x where it is positive, else x times a slope that is drawn for each element while training. */
export interface RreluOptions {
  /** Smallest slope. Default 0.125. */
  readonly lower?: number;
  /** Largest slope. In use the slope is the mean of both. Default 0.3333333333333333. */
  readonly upper?: number;
}

/** x where it is positive, else alpha (exp(x) - 1). */
export interface EluOptions {
  /** Limit of negative elements, negated. Default 1. */
  readonly alpha?: number;
}

/** x where it is positive, else alpha (exp(x / alpha) - 1). */
export interface CeluOptions {
  /** Limit of negative elements, negated; not 0. Default 1. */
  readonly alpha?: number;
}

/** The first half along a dimension times the sigmoid of the second. */
export interface GluOptions {
  /** Dimension; negative from the end. Default -1. */
  readonly dim?: number;
}

/** Elements limited to a range. */
export interface HardtanhOptions {
  /** Least value. Default -1. */
  readonly min?: number;
  /** PyTorch's name of `min`. */
  readonly min_val?: number;
  /** Greatest value. Default 1. */
  readonly max?: number;
  /** PyTorch's name of `max`. */
  readonly max_val?: number;
}

/** x where its size is above lambda, else 0. */
export interface HardshrinkOptions {
  /** Size of the largest element that becomes 0. Default 0.5. */
  readonly lambda?: number;
  /** PyTorch's name of `lambda`. */
  readonly lambd?: number;
}

/** x moved towards 0 by lambda, and 0 where its size is at most lambda. */
export interface SoftshrinkOptions {
  /** Size of the largest element that becomes 0. A number >= 0. Default 0.5. */
  readonly lambda?: number;
  /** PyTorch's name of `lambda`. */
  readonly lambd?: number;
}

/** log(1 + exp(beta x)) / beta. */
export interface SoftplusOptions {
  /** Factor of x; not 0. Default 1. */
  readonly beta?: number;
  /** Where beta x is larger, the result is x. Default 20. */
  readonly threshold?: number;
}

/** x where it is above a threshold, else a value. */
export interface ThresholdOptions {
  /** Largest element that is replaced. */
  readonly threshold?: number;
  /** The value in its place. */
  readonly value?: number;
}

/** exp(x) divided by its sum along a dimension. */
export interface SoftmaxOptions {
  /** Dimension; negative from the end. */
  readonly dim?: number;
}

/** The logarithm of softmax. */
export interface LogsoftmaxOptions {
  /** Dimension; negative from the end. */
  readonly dim?: number;
}

/** Softmax of -x. */
export interface SoftminOptions {
  /** Dimension; negative from the end. */
  readonly dim?: number;
}

/** Elements set to 0 at random while training. */
export interface DropoutOptions {
  /** Probability of an element to become 0. A number in [0, 1]. Default 0.5. */
  readonly p?: number;
}

/** Channels of images `[n, c, h, w]` or of sequences `[n, c, l]` set to 0 at random while training. */
export interface Drop2dOptions {
  /** Probability of a channel to become 0. A number in [0, 1]. Default 0.5. */
  readonly p?: number;
}

/** Channels of volumes `[n, c, d, h, w]` or `[c, d, h, w]` set to 0 at random while training. */
export interface Drop3dOptions {
  /** Probability of a channel to become 0. A number in [0, 1]. Default 0.5. */
  readonly p?: number;
}

/** Elements set to the limit of SELU at random while training, so that mean 0 and variance 1 stay. */
export interface AdropOptions {
  /** Probability of an element to be set. A number in [0, 1]. Default 0.5. */
  readonly p?: number;
}

/** Channels of `[n, c, *]` set to the limit of SELU at random while training. */
export interface FadropOptions {
  /** Probability of a channel to be set. A number in [0, 1]. Default 0.5. */
  readonly p?: number;
}

/** Samples of `[n, *]` set to 0 at random while training, as of a branch of a residual network. */
export interface DroppathOptions {
  /** Probability of a sample to become 0. A number in [0, 1]. Default 0. */
  readonly p?: number;
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

/** The elements in another shape. */
export interface ReshapeOptions {
  /** Sizes of the dimensions; one of them may be -1, which is computed. A whole number >= -1. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly shape?: number | readonly number[];
}

/** Without dimensions of size 1. */
export interface SqueezeOptions {
  /** Dimensions that are left out if they have size 1; null for all. Default null. */
  readonly dim?: number | readonly number[] | null;
}

/** With a new dimension of size 1. */
export interface UnsqueezeOptions {
  /** Its place; negative from the end. */
  readonly dim?: number;
}

/** Two dimensions exchanged. */
export interface TransposeOptions {
  /** One dimension; negative from the end. Default -2. */
  readonly dim0?: number;
  /** The other one. Default -1. */
  readonly dim1?: number;
}

/** The dimensions in another order. */
export interface PermuteOptions {
  /** Every dimension once. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly dims?: number | readonly number[];
}

/** Dimensions of size 1 repeated. */
export interface ExpandOptions {
  /** Sizes of the dimensions; a size of -1 stays. A whole number >= -1. */
  readonly size?: number | readonly number[];
  /** PyTorch's name of `size`. */
  readonly shape?: number | readonly number[];
}

/** The part at one index of a dimension, without that dimension. */
export interface SelectOptions {
  /** Dimension; negative from the end. */
  readonly dim?: number;
  /** Index; negative from the end. */
  readonly ind?: number;
  /** PyTorch's name of `ind`. */
  readonly index?: number;
}

/** The parts at indices of a dimension. */
export interface IndexselectOptions {
  /** Dimension; negative from the end. */
  readonly dim?: number;
  /** Indices from 0, in any order. A whole number >= 0. */
  readonly ind?: number | readonly number[];
  /** PyTorch's name of `ind`. */
  readonly index?: number | readonly number[];
}

/** Each element divided by a power of the mean square of neighbouring channels. */
export interface LocalnormOptions {
  /** Channels whose squares are averaged, with half of them before the own one. A whole number >= 1. */
  readonly size?: number;
  /** Factor of the mean square. Default 0.0001. */
  readonly alpha?: number;
  /** Exponent. Default 0.75. */
  readonly beta?: number;
  /** Added to the mean square. Default 1. */
  readonly k?: number;
}

/** `localnorm` of images `[n, c, h, w]`. */
export interface Crossmap2dOptions {
  /** Channels whose squares are averaged, with half of them before the own one. A whole number >= 1. */
  readonly size?: number;
  /** Factor of the mean square. Default 0.0001. */
  readonly alpha?: number;
  /** Exponent. Default 0.75. */
  readonly beta?: number;
  /** Added to the mean square. Default 1. */
  readonly k?: number;
}

/** Vectors along a dimension divided by their norm. */
export interface NormalizeOptions {
  /** Order of the norm. Default 2. */
  readonly p?: number;
  /** Dimension; negative from the end. Default 1. */
  readonly dim?: number;
  /** Least norm that a vector is divided by. A number >= 0. Default 1e-12. */
  readonly eps?: number;
}

/** The input minus given means, divided by given deviations. */
export interface ZscoreOptions {
  /** Mean, or one for each channel of `[*, c, h, w]`. */
  readonly mean?: number | readonly number[];
  /** Standard deviation, or one for each channel. */
  readonly std?: number | readonly number[];
}

/** The norm of the difference of two inputs, along the last dimension. */
export interface PairwiseOptions {
  /** Order of the norm. Default 2. */
  readonly p?: number;
  /** PyTorch's name of `p`. */
  readonly norm?: number;
  /** Added to the difference. Default 1e-6. */
  readonly eps?: number;
  /** Keep the last dimension, of size 1. Default false. */
  readonly keepdim?: boolean;
}

/** The cosine of the angle of two inputs along a dimension. */
export interface SimilarOptions {
  /** Dimension; negative from the end. Default 1. */
  readonly dim?: number;
  /** Least norm that a vector counts with. A number >= 0. Default 1e-8. */
  readonly eps?: number;
}

/** The options of each layer, by name. */
export interface LayerOptionsOf {
  /** A linear map of the last dimension. */
  readonly linear: LinearOptions;
  /** A convolution of sequences. */
  readonly conv1d: Conv1dOptions;
  /** A convolution of images. */
  readonly conv2d: Conv2dOptions;
  /** A convolution of volumes. */
  readonly conv3d: Conv3dOptions;
  /** A transposed convolution of sequences. */
  readonly convtranspose1d: Convtranspose1dOptions;
  /** A transposed convolution of images. */
  readonly convtranspose2d: Convtranspose2dOptions;
  /** A transposed convolution of volumes. */
  readonly convtranspose3d: Convtranspose3dOptions;
  /** The windows of an image as columns. */
  readonly unfold: UnfoldOptions;
  /** The sums of columns at the elements of an image. */
  readonly fold: FoldOptions;
  /** The largest element of each window of a sequence. */
  readonly maxpool1d: Maxpool1dOptions;
  /** The largest element of each window of an image. */
  readonly maxpool2d: Maxpool2dOptions;
  /** The largest element of each window of a volume. */
  readonly maxpool3d: Maxpool3dOptions;
  /** The mean of each window of a sequence. */
  readonly avgpool1d: Avgpool1dOptions;
  /** The mean of each window of an image. */
  readonly avgpool2d: Avgpool2dOptions;
  /** The mean of each window of a volume. */
  readonly avgpool3d: Avgpool3dOptions;
  /** The largest elements of parts of a sequence. */
  readonly adaptmax1d: Adaptmax1dOptions;
  /** The largest elements of parts of an image. */
  readonly adaptmax2d: Adaptmax2dOptions;
  /** The largest elements of parts of a volume. */
  readonly adaptmax3d: Adaptmax3dOptions;
  /** The means of parts of a sequence. */
  readonly adaptavg1d: Adaptavg1dOptions;
  /** The means of parts of an image. */
  readonly adaptavg2d: Adaptavg2dOptions;
  /** The means of parts of a volume. */
  readonly adaptavg3d: Adaptavg3dOptions;
  /** The norm of each window of a sequence. */
  readonly lppool1d: Lppool1dOptions;
  /** The norm of each window of an image. */
  readonly lppool2d: Lppool2dOptions;
  /** The largest elements of windows of an image at random distances. */
  readonly fmaxpool2d: Fmaxpool2dOptions;
  /** The largest elements of windows of a volume at random distances. */
  readonly fmaxpool3d: Fmaxpool3dOptions;
  /** Elements around the last dimensions. */
  readonly pad: PadOptions;
  /** A number around the last dimension. */
  readonly pad1d: Pad1dOptions;
  /** A number around the last two dimensions. */
  readonly pad2d: Pad2dOptions;
  /** A number around the last three dimensions. */
  readonly pad3d: Pad3dOptions;
  /** The mirrored elements around the last dimension. */
  readonly reflect1d: Reflect1dOptions;
  /** The mirrored elements around the last two dimensions. */
  readonly reflect2d: Reflect2dOptions;
  /** The end elements around the last dimension. */
  readonly replicate1d: Replicate1dOptions;
  /** The end elements around the last two dimensions. */
  readonly replicate2d: Replicate2dOptions;
  /** The end elements around the last three dimensions. */
  readonly replicate3d: Replicate3dOptions;
  /** Zeros around the last two dimensions. */
  readonly zeropad2d: Zeropad2dOptions;
  /** An image in another size. */
  readonly upsample: UpsampleOptions;
  /** An image in another size, with a scale that may be computed again. */
  readonly interpolate: InterpolateOptions;
  /** Each channel normalised over the batch. */
  readonly batchnorm: BatchnormOptions;
  /** Each sample normalised over its last dimensions. */
  readonly layernorm: LayernormOptions;
  /** Groups of channels of each sample normalised. */
  readonly groupnorm: GroupnormOptions;
  /** Each channel of each sample normalised. */
  readonly instancenorm: InstancenormOptions;
  /** Each sample divided by its root mean square over the last dimensions. */
  readonly rmsnorm: RmsnormOptions;
  /** A vector for each index. */
  readonly embedding: EmbeddingOptions;
  /** Two inputs joined along a dimension. */
  readonly cat: CatOptions;
  /** x where it is positive, else x times a weight that is trained. */
  readonly prelu: PreluOptions;
  /** The sum, mean or maximum of the vectors of each bag of indices. */
  readonly embedbag: EmbedbagOptions;
  /** A vector for each position of a sequence. */
  readonly embedpos: EmbedposOptions;
  /** The vector of each token, plus the vector of its position. */
  readonly embedseq: EmbedseqOptions;
  /** Each class as a row of zeros with a 1. */
  readonly onehot: OnehotOptions;
  /** Simple recurrent cells over a sequence. Results: output and state. */
  readonly rnn: RnnOptions;
  /** Cells with a long short-term memory over a sequence. Results: output, state and memory. */
  readonly lstm: LstmOptions;
  /** Gated recurrent cells over a sequence. Results: output and state. */
  readonly gru: GruOptions;
  /** Attention of a query to keys and values with several heads, or of one input to itself. */
  readonly attention: AttentionOptions;
  /** Attention of a sequence to itself with several heads. */
  readonly selfattention: SelfattentionOptions;
  /** A layer of an encoder: self-attention and two linear maps. */
  readonly encoderlayer: EncoderlayerOptions;
  /** A layer of a decoder: self-attention, attention to a memory, and two linear maps. */
  readonly decoderlayer: DecoderlayerOptions;
  /** The encoder of a transformer: layers one after the other. */
  readonly encoder: EncoderOptions;
  /** The decoder of a transformer: layers one after the other. */
  readonly decoder: DecoderOptions;
  /** An encoder of a source, and a decoder of a target that attends to its result. */
  readonly transformer: TransformerOptions;
  /** A map of two inputs that is linear in each. */
  readonly bilinear: BilinearOptions;
  /** The larger of 0 and x. */
  readonly relu: Readonly<Record<string, never>>;
  /** The hyperbolic tangent. */
  readonly tanh: Readonly<Record<string, never>>;
  /** 1 / (1 + exp(-x)). */
  readonly sigmoid: Readonly<Record<string, never>>;
  /** x times the share of a normal distribution below x. */
  readonly gelu: GeluOptions;
  /** Elements limited to 0 and 6. */
  readonly relu6: Readonly<Record<string, never>>;
  /** x where it is positive, else slope x. */
  readonly leakyrelu: LeakyreluOptions;
  /** x where it is positive, else x times a slope that is drawn for each element while training. */
  readonly rrelu: RreluOptions;
  /** x where it is positive, else alpha (exp(x) - 1). */
  readonly elu: EluOptions;
  /** x where it is positive, else alpha (exp(x / alpha) - 1). */
  readonly celu: CeluOptions;
  /** The scaled exponential unit of self-normalising networks. */
  readonly selu: Readonly<Record<string, never>>;
  /** x sigmoid(x). */
  readonly silu: Readonly<Record<string, never>>;
  /** x tanh(log(1 + exp(x))). */
  readonly mish: Readonly<Record<string, never>>;
  /** The first half along a dimension times the sigmoid of the second. */
  readonly glu: GluOptions;
  /** The logarithm of the sigmoid. */
  readonly logsigmoid: Readonly<Record<string, never>>;
  /** x - tanh(x). */
  readonly tanhshrink: Readonly<Record<string, never>>;
  /** Elements limited to a range. */
  readonly hardtanh: HardtanhOptions;
  /** x where its size is above lambda, else 0. */
  readonly hardshrink: HardshrinkOptions;
  /** x moved towards 0 by lambda, and 0 where its size is at most lambda. */
  readonly softshrink: SoftshrinkOptions;
  /** x / (1 + abs(x)). */
  readonly softsign: Readonly<Record<string, never>>;
  /** log(1 + exp(beta x)) / beta. */
  readonly softplus: SoftplusOptions;
  /** x where it is above a threshold, else a value. */
  readonly threshold: ThresholdOptions;
  /** exp(x) divided by its sum along a dimension. */
  readonly softmax: SoftmaxOptions;
  /** The logarithm of softmax. */
  readonly logsoftmax: LogsoftmaxOptions;
  /** Softmax of -x. */
  readonly softmin: SoftminOptions;
  /** Softmax over the channels of images `[n, c, h, w]` or `[c, h, w]`. */
  readonly softmax2d: Readonly<Record<string, never>>;
  /** Elements set to 0 at random while training. */
  readonly dropout: DropoutOptions;
  /** Channels of images `[n, c, h, w]` or of sequences `[n, c, l]` set to 0 at random while training. */
  readonly drop2d: Drop2dOptions;
  /** Channels of volumes `[n, c, d, h, w]` or `[c, d, h, w]` set to 0 at random while training. */
  readonly drop3d: Drop3dOptions;
  /** Elements set to the limit of SELU at random while training, so that mean 0 and variance 1 stay. */
  readonly adrop: AdropOptions;
  /** Channels of `[n, c, *]` set to the limit of SELU at random while training. */
  readonly fadrop: FadropOptions;
  /** Samples of `[n, *]` set to 0 at random while training, as of a branch of a residual network. */
  readonly droppath: DroppathOptions;
  /** Several dimensions become one. */
  readonly flatten: FlattenOptions;
  /** The elements in another shape. */
  readonly reshape: ReshapeOptions;
  /** Without dimensions of size 1. */
  readonly squeeze: SqueezeOptions;
  /** With a new dimension of size 1. */
  readonly unsqueeze: UnsqueezeOptions;
  /** Two dimensions exchanged. */
  readonly transpose: TransposeOptions;
  /** The dimensions in another order. */
  readonly permute: PermuteOptions;
  /** Dimensions of size 1 repeated. */
  readonly expand: ExpandOptions;
  /** The part at one index of a dimension, without that dimension. */
  readonly select: SelectOptions;
  /** The parts at indices of a dimension. */
  readonly indexselect: IndexselectOptions;
  /** The input itself. */
  readonly identity: Readonly<Record<string, never>>;
  /** The product of matrices `[*, m, k]` and `[*, k, n]`; leading dimensions broadcast. */
  readonly matmul: Readonly<Record<string, never>>;
  /** The product of the elements of two inputs, which broadcast. */
  readonly mul: Readonly<Record<string, never>>;
  /** Each element divided by a power of the mean square of neighbouring channels. */
  readonly localnorm: LocalnormOptions;
  /** `localnorm` of images `[n, c, h, w]`. */
  readonly crossmap2d: Crossmap2dOptions;
  /** Vectors along a dimension divided by their norm. */
  readonly normalize: NormalizeOptions;
  /** The input minus given means, divided by given deviations. */
  readonly zscore: ZscoreOptions;
  /** The norm of the difference of two inputs, along the last dimension. */
  readonly pairwise: PairwiseOptions;
  /** The cosine of the angle of two inputs along a dimension. */
  readonly similar: SimilarOptions;
  /** Another name of `dropout`. */
  readonly drop: DropoutOptions;
  /** Another name of `embedding`. */
  readonly embed: EmbeddingOptions;
  /** Another name of `batchnorm`. */
  readonly batchnorm1d: BatchnormOptions;
  /** Another name of `batchnorm`. */
  readonly batchnorm2d: BatchnormOptions;
  /** Another name of `batchnorm`. */
  readonly batchnorm3d: BatchnormOptions;
  /** Another name of `instancenorm`. */
  readonly instancenorm1d: InstancenormOptions;
  /** Another name of `instancenorm`. */
  readonly instancenorm2d: InstancenormOptions;
  /** Another name of `instancenorm`. */
  readonly instancenorm3d: InstancenormOptions;
}

/** The names of kinds of layers. */
export const layerKinds = [
  "linear",
  "conv1d",
  "conv2d",
  "conv3d",
  "convtranspose1d",
  "convtranspose2d",
  "convtranspose3d",
  "unfold",
  "fold",
  "maxpool1d",
  "maxpool2d",
  "maxpool3d",
  "avgpool1d",
  "avgpool2d",
  "avgpool3d",
  "adaptmax1d",
  "adaptmax2d",
  "adaptmax3d",
  "adaptavg1d",
  "adaptavg2d",
  "adaptavg3d",
  "lppool1d",
  "lppool2d",
  "fmaxpool2d",
  "fmaxpool3d",
  "pad",
  "pad1d",
  "pad2d",
  "pad3d",
  "reflect1d",
  "reflect2d",
  "replicate1d",
  "replicate2d",
  "replicate3d",
  "zeropad2d",
  "upsample",
  "interpolate",
  "batchnorm",
  "layernorm",
  "groupnorm",
  "instancenorm",
  "rmsnorm",
  "embedding",
  "cat",
  "prelu",
  "embedbag",
  "embedpos",
  "embedseq",
  "onehot",
  "rnn",
  "lstm",
  "gru",
  "attention",
  "selfattention",
  "encoderlayer",
  "decoderlayer",
  "encoder",
  "decoder",
  "transformer",
  "bilinear",
  "relu",
  "tanh",
  "sigmoid",
  "gelu",
  "relu6",
  "leakyrelu",
  "rrelu",
  "elu",
  "celu",
  "selu",
  "silu",
  "mish",
  "glu",
  "logsigmoid",
  "tanhshrink",
  "hardtanh",
  "hardshrink",
  "softshrink",
  "softsign",
  "softplus",
  "threshold",
  "softmax",
  "logsoftmax",
  "softmin",
  "softmax2d",
  "dropout",
  "drop2d",
  "drop3d",
  "adrop",
  "fadrop",
  "droppath",
  "flatten",
  "reshape",
  "squeeze",
  "unsqueeze",
  "transpose",
  "permute",
  "expand",
  "select",
  "indexselect",
  "identity",
  "matmul",
  "mul",
  "localnorm",
  "crossmap2d",
  "normalize",
  "zscore",
  "pairwise",
  "similar",
  "drop",
  "embed",
  "batchnorm1d",
  "batchnorm2d",
  "batchnorm3d",
  "instancenorm1d",
  "instancenorm2d",
  "instancenorm3d",
] as const;

/** The name of a kind of layers. */
export type LayerKind =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "convtranspose1d"
  | "convtranspose2d"
  | "convtranspose3d"
  | "unfold"
  | "fold"
  | "maxpool1d"
  | "maxpool2d"
  | "maxpool3d"
  | "avgpool1d"
  | "avgpool2d"
  | "avgpool3d"
  | "adaptmax1d"
  | "adaptmax2d"
  | "adaptmax3d"
  | "adaptavg1d"
  | "adaptavg2d"
  | "adaptavg3d"
  | "lppool1d"
  | "lppool2d"
  | "fmaxpool2d"
  | "fmaxpool3d"
  | "pad"
  | "pad1d"
  | "pad2d"
  | "pad3d"
  | "reflect1d"
  | "reflect2d"
  | "replicate1d"
  | "replicate2d"
  | "replicate3d"
  | "zeropad2d"
  | "upsample"
  | "interpolate"
  | "batchnorm"
  | "layernorm"
  | "groupnorm"
  | "instancenorm"
  | "rmsnorm"
  | "embedding"
  | "cat"
  | "prelu"
  | "embedbag"
  | "embedpos"
  | "embedseq"
  | "onehot"
  | "rnn"
  | "lstm"
  | "gru"
  | "attention"
  | "selfattention"
  | "encoderlayer"
  | "decoderlayer"
  | "encoder"
  | "decoder"
  | "transformer"
  | "bilinear"
  | "relu"
  | "tanh"
  | "sigmoid"
  | "gelu"
  | "relu6"
  | "leakyrelu"
  | "rrelu"
  | "elu"
  | "celu"
  | "selu"
  | "silu"
  | "mish"
  | "glu"
  | "logsigmoid"
  | "tanhshrink"
  | "hardtanh"
  | "hardshrink"
  | "softshrink"
  | "softsign"
  | "softplus"
  | "threshold"
  | "softmax"
  | "logsoftmax"
  | "softmin"
  | "softmax2d"
  | "dropout"
  | "drop2d"
  | "drop3d"
  | "adrop"
  | "fadrop"
  | "droppath"
  | "flatten"
  | "reshape"
  | "squeeze"
  | "unsqueeze"
  | "transpose"
  | "permute"
  | "expand"
  | "select"
  | "indexselect"
  | "identity"
  | "matmul"
  | "mul"
  | "localnorm"
  | "crossmap2d"
  | "normalize"
  | "zscore"
  | "pairwise"
  | "similar"
  | "drop"
  | "embed"
  | "batchnorm1d"
  | "batchnorm2d"
  | "batchnorm3d"
  | "instancenorm1d"
  | "instancenorm2d"
  | "instancenorm3d";

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
  "recur",
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
  | "recur"
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

/** Options of `conv1d` that have a default. */
export type Conv1dDefaults = Pick<
  Conv1dOptions,
  "stride" | "pad" | "padding" | "dilate" | "dilation" | "groups" | "bias" | "padmode" | "padding_mode"
>;

/** The option `inputs` of `conv1d`, under one of its names. */
export type Conv1dInputs = OneOf<Conv1dOptions, "inputs" | "in_channels">;

/** The option `outputs` of `conv1d`, under one of its names. */
export type Conv1dOutputs = OneOf<Conv1dOptions, "outputs" | "out_channels">;

/** The option `size` of `conv1d`, under one of its names. */
export type Conv1dSize = OneOf<Conv1dOptions, "size" | "kernel_size">;

/** Forms of the options of `conv1d`. */
export interface Conv1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    outputs: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | Conv1dDefaults,
    pad?: number | readonly number[] | Conv1dDefaults,
    dilate?: number | readonly number[] | Conv1dDefaults,
    groups?: number | Conv1dDefaults,
    bias?: boolean | Conv1dDefaults,
    padmode?: "zeros" | "reflect" | "replicate" | "circular" | Conv1dDefaults,
    options?: Conv1dDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, outputs: number, options: Conv1dDefaults & Conv1dSize];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: Conv1dDefaults & Conv1dOutputs & Conv1dSize];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Conv1dDefaults & Conv1dInputs & Conv1dOutputs & Conv1dSize];
}

/** Options of `conv2d` that have a default. */
export type Conv2dDefaults = Pick<
  Conv2dOptions,
  "stride" | "pad" | "padding" | "dilate" | "dilation" | "groups" | "bias" | "padmode" | "padding_mode"
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
    padmode?: "zeros" | "reflect" | "replicate" | "circular" | Conv2dDefaults,
    options?: Conv2dDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, outputs: number, options: Conv2dDefaults & Conv2dSize];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: Conv2dDefaults & Conv2dOutputs & Conv2dSize];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Conv2dDefaults & Conv2dInputs & Conv2dOutputs & Conv2dSize];
}

/** Options of `conv3d` that have a default. */
export type Conv3dDefaults = Pick<
  Conv3dOptions,
  "stride" | "pad" | "padding" | "dilate" | "dilation" | "groups" | "bias" | "padmode" | "padding_mode"
>;

/** The option `inputs` of `conv3d`, under one of its names. */
export type Conv3dInputs = OneOf<Conv3dOptions, "inputs" | "in_channels">;

/** The option `outputs` of `conv3d`, under one of its names. */
export type Conv3dOutputs = OneOf<Conv3dOptions, "outputs" | "out_channels">;

/** The option `size` of `conv3d`, under one of its names. */
export type Conv3dSize = OneOf<Conv3dOptions, "size" | "kernel_size">;

/** Forms of the options of `conv3d`. */
export interface Conv3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    outputs: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | Conv3dDefaults,
    pad?: number | readonly number[] | Conv3dDefaults,
    dilate?: number | readonly number[] | Conv3dDefaults,
    groups?: number | Conv3dDefaults,
    bias?: boolean | Conv3dDefaults,
    padmode?: "zeros" | "reflect" | "replicate" | "circular" | Conv3dDefaults,
    options?: Conv3dDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, outputs: number, options: Conv3dDefaults & Conv3dSize];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: Conv3dDefaults & Conv3dOutputs & Conv3dSize];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Conv3dDefaults & Conv3dInputs & Conv3dOutputs & Conv3dSize];
}

/** Options of `convtranspose1d` that have a default. */
export type Convtranspose1dDefaults = Pick<
  Convtranspose1dOptions,
  "stride" | "pad" | "padding" | "outpad" | "output_padding" | "groups" | "bias" | "dilate" | "dilation" | "padmode" | "padding_mode"
>;

/** The option `inputs` of `convtranspose1d`, under one of its names. */
export type Convtranspose1dInputs = OneOf<Convtranspose1dOptions, "inputs" | "in_channels">;

/** The option `outputs` of `convtranspose1d`, under one of its names. */
export type Convtranspose1dOutputs = OneOf<Convtranspose1dOptions, "outputs" | "out_channels">;

/** The option `size` of `convtranspose1d`, under one of its names. */
export type Convtranspose1dSize = OneOf<Convtranspose1dOptions, "size" | "kernel_size">;

/** Forms of the options of `convtranspose1d`. */
export interface Convtranspose1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    outputs: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | Convtranspose1dDefaults,
    pad?: number | readonly number[] | Convtranspose1dDefaults,
    outpad?: number | readonly number[] | Convtranspose1dDefaults,
    groups?: number | Convtranspose1dDefaults,
    bias?: boolean | Convtranspose1dDefaults,
    dilate?: number | readonly number[] | Convtranspose1dDefaults,
    padmode?: "zeros" | Convtranspose1dDefaults,
    options?: Convtranspose1dDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, outputs: number, options: Convtranspose1dDefaults & Convtranspose1dSize];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [
    inputs: number,
    options: Convtranspose1dDefaults & Convtranspose1dOutputs & Convtranspose1dSize,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [
    options: Convtranspose1dDefaults & Convtranspose1dInputs & Convtranspose1dOutputs & Convtranspose1dSize,
  ];
}

/** Options of `convtranspose2d` that have a default. */
export type Convtranspose2dDefaults = Pick<
  Convtranspose2dOptions,
  "stride" | "pad" | "padding" | "outpad" | "output_padding" | "groups" | "bias" | "dilate" | "dilation" | "padmode" | "padding_mode"
>;

/** The option `inputs` of `convtranspose2d`, under one of its names. */
export type Convtranspose2dInputs = OneOf<Convtranspose2dOptions, "inputs" | "in_channels">;

/** The option `outputs` of `convtranspose2d`, under one of its names. */
export type Convtranspose2dOutputs = OneOf<Convtranspose2dOptions, "outputs" | "out_channels">;

/** The option `size` of `convtranspose2d`, under one of its names. */
export type Convtranspose2dSize = OneOf<Convtranspose2dOptions, "size" | "kernel_size">;

/** Forms of the options of `convtranspose2d`. */
export interface Convtranspose2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    outputs: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | Convtranspose2dDefaults,
    pad?: number | readonly number[] | Convtranspose2dDefaults,
    outpad?: number | readonly number[] | Convtranspose2dDefaults,
    groups?: number | Convtranspose2dDefaults,
    bias?: boolean | Convtranspose2dDefaults,
    dilate?: number | readonly number[] | Convtranspose2dDefaults,
    padmode?: "zeros" | Convtranspose2dDefaults,
    options?: Convtranspose2dDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, outputs: number, options: Convtranspose2dDefaults & Convtranspose2dSize];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [
    inputs: number,
    options: Convtranspose2dDefaults & Convtranspose2dOutputs & Convtranspose2dSize,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [
    options: Convtranspose2dDefaults & Convtranspose2dInputs & Convtranspose2dOutputs & Convtranspose2dSize,
  ];
}

/** Options of `convtranspose3d` that have a default. */
export type Convtranspose3dDefaults = Pick<
  Convtranspose3dOptions,
  "stride" | "pad" | "padding" | "outpad" | "output_padding" | "groups" | "bias" | "dilate" | "dilation" | "padmode" | "padding_mode"
>;

/** The option `inputs` of `convtranspose3d`, under one of its names. */
export type Convtranspose3dInputs = OneOf<Convtranspose3dOptions, "inputs" | "in_channels">;

/** The option `outputs` of `convtranspose3d`, under one of its names. */
export type Convtranspose3dOutputs = OneOf<Convtranspose3dOptions, "outputs" | "out_channels">;

/** The option `size` of `convtranspose3d`, under one of its names. */
export type Convtranspose3dSize = OneOf<Convtranspose3dOptions, "size" | "kernel_size">;

/** Forms of the options of `convtranspose3d`. */
export interface Convtranspose3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    outputs: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | Convtranspose3dDefaults,
    pad?: number | readonly number[] | Convtranspose3dDefaults,
    outpad?: number | readonly number[] | Convtranspose3dDefaults,
    groups?: number | Convtranspose3dDefaults,
    bias?: boolean | Convtranspose3dDefaults,
    dilate?: number | readonly number[] | Convtranspose3dDefaults,
    padmode?: "zeros" | Convtranspose3dDefaults,
    options?: Convtranspose3dDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, outputs: number, options: Convtranspose3dDefaults & Convtranspose3dSize];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [
    inputs: number,
    options: Convtranspose3dDefaults & Convtranspose3dOutputs & Convtranspose3dSize,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [
    options: Convtranspose3dDefaults & Convtranspose3dInputs & Convtranspose3dOutputs & Convtranspose3dSize,
  ];
}

/** Options of `unfold` that have a default. */
export type UnfoldDefaults = Pick<UnfoldOptions, "dilate" | "dilation" | "pad" | "padding" | "stride">;

/** The option `size` of `unfold`, under one of its names. */
export type UnfoldSize = OneOf<UnfoldOptions, "size" | "kernel_size">;

/** Forms of the options of `unfold`. */
export interface UnfoldForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    dilate?: number | readonly number[] | UnfoldDefaults,
    pad?: number | readonly number[] | UnfoldDefaults,
    stride?: number | readonly number[] | UnfoldDefaults,
    options?: UnfoldDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: UnfoldDefaults & UnfoldSize];
}

/** Options of `fold` that have a default. */
export type FoldDefaults = Pick<FoldOptions, "dilate" | "dilation" | "pad" | "padding" | "stride">;

/** The option `out` of `fold`, under one of its names. */
export type FoldOut = OneOf<FoldOptions, "out" | "output_size">;

/** The option `size` of `fold`, under one of its names. */
export type FoldSize = OneOf<FoldOptions, "size" | "kernel_size">;

/** Forms of the options of `fold`. */
export interface FoldForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    out: number | readonly number[],
    size: number | readonly number[],
    dilate?: number | readonly number[] | FoldDefaults,
    pad?: number | readonly number[] | FoldDefaults,
    stride?: number | readonly number[] | FoldDefaults,
    options?: FoldDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [out: number | readonly number[], options: FoldDefaults & FoldSize];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: FoldDefaults & FoldOut & FoldSize];
}

/** Options of `maxpool1d` that have a default. */
export type Maxpool1dDefaults = Pick<
  Maxpool1dOptions,
  "stride" | "pad" | "padding" | "dilate" | "dilation" | "ceiling" | "ceil_mode"
>;

/** The option `size` of `maxpool1d`, under one of its names. */
export type Maxpool1dSize = OneOf<Maxpool1dOptions, "size" | "kernel_size">;

/** Forms of the options of `maxpool1d`. */
export interface Maxpool1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Maxpool1dDefaults,
    pad?: number | readonly number[] | Maxpool1dDefaults,
    dilate?: number | readonly number[] | Maxpool1dDefaults,
    ceiling?: boolean | Maxpool1dDefaults,
    options?: Maxpool1dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Maxpool1dDefaults & Maxpool1dSize];
}

/** Options of `maxpool2d` that have a default. */
export type Maxpool2dDefaults = Pick<
  Maxpool2dOptions,
  "stride" | "pad" | "padding" | "dilate" | "dilation" | "ceiling" | "ceil_mode"
>;

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
    ceiling?: boolean | Maxpool2dDefaults,
    options?: Maxpool2dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Maxpool2dDefaults & Maxpool2dSize];
}

/** Options of `maxpool3d` that have a default. */
export type Maxpool3dDefaults = Pick<
  Maxpool3dOptions,
  "stride" | "pad" | "padding" | "dilate" | "dilation" | "ceiling" | "ceil_mode"
>;

/** The option `size` of `maxpool3d`, under one of its names. */
export type Maxpool3dSize = OneOf<Maxpool3dOptions, "size" | "kernel_size">;

/** Forms of the options of `maxpool3d`. */
export interface Maxpool3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Maxpool3dDefaults,
    pad?: number | readonly number[] | Maxpool3dDefaults,
    dilate?: number | readonly number[] | Maxpool3dDefaults,
    ceiling?: boolean | Maxpool3dDefaults,
    options?: Maxpool3dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Maxpool3dDefaults & Maxpool3dSize];
}

/** Options of `avgpool1d` that have a default. */
export type Avgpool1dDefaults = Pick<
  Avgpool1dOptions,
  "stride" | "pad" | "padding" | "ceiling" | "ceil_mode" | "countpad" | "count_include_pad" | "divisor" | "divisor_override"
>;

/** The option `size` of `avgpool1d`, under one of its names. */
export type Avgpool1dSize = OneOf<Avgpool1dOptions, "size" | "kernel_size">;

/** Forms of the options of `avgpool1d`. */
export interface Avgpool1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Avgpool1dDefaults,
    pad?: number | readonly number[] | Avgpool1dDefaults,
    ceiling?: boolean | Avgpool1dDefaults,
    countpad?: boolean | Avgpool1dDefaults,
    divisor?: number | null | Avgpool1dDefaults,
    options?: Avgpool1dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Avgpool1dDefaults & Avgpool1dSize];
}

/** Options of `avgpool2d` that have a default. */
export type Avgpool2dDefaults = Pick<
  Avgpool2dOptions,
  "stride" | "pad" | "padding" | "ceiling" | "ceil_mode" | "countpad" | "count_include_pad" | "divisor" | "divisor_override"
>;

/** The option `size` of `avgpool2d`, under one of its names. */
export type Avgpool2dSize = OneOf<Avgpool2dOptions, "size" | "kernel_size">;

/** Forms of the options of `avgpool2d`. */
export interface Avgpool2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Avgpool2dDefaults,
    pad?: number | readonly number[] | Avgpool2dDefaults,
    ceiling?: boolean | Avgpool2dDefaults,
    countpad?: boolean | Avgpool2dDefaults,
    divisor?: number | null | Avgpool2dDefaults,
    options?: Avgpool2dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Avgpool2dDefaults & Avgpool2dSize];
}

/** Options of `avgpool3d` that have a default. */
export type Avgpool3dDefaults = Pick<
  Avgpool3dOptions,
  "stride" | "pad" | "padding" | "ceiling" | "ceil_mode" | "countpad" | "count_include_pad" | "divisor" | "divisor_override"
>;

/** The option `size` of `avgpool3d`, under one of its names. */
export type Avgpool3dSize = OneOf<Avgpool3dOptions, "size" | "kernel_size">;

/** Forms of the options of `avgpool3d`. */
export interface Avgpool3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Avgpool3dDefaults,
    pad?: number | readonly number[] | Avgpool3dDefaults,
    ceiling?: boolean | Avgpool3dDefaults,
    countpad?: boolean | Avgpool3dDefaults,
    divisor?: number | null | Avgpool3dDefaults,
    options?: Avgpool3dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Avgpool3dDefaults & Avgpool3dSize];
}

/** The option `size` of `adaptmax1d`, under one of its names. */
export type Adaptmax1dSize = OneOf<Adaptmax1dOptions, "size" | "output_size">;

/** Forms of the options of `adaptmax1d`. */
export interface Adaptmax1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Adaptmax1dSize];
}

/** The option `size` of `adaptmax2d`, under one of its names. */
export type Adaptmax2dSize = OneOf<Adaptmax2dOptions, "size" | "output_size">;

/** Forms of the options of `adaptmax2d`. */
export interface Adaptmax2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Adaptmax2dSize];
}

/** The option `size` of `adaptmax3d`, under one of its names. */
export type Adaptmax3dSize = OneOf<Adaptmax3dOptions, "size" | "output_size">;

/** Forms of the options of `adaptmax3d`. */
export interface Adaptmax3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Adaptmax3dSize];
}

/** The option `size` of `adaptavg1d`, under one of its names. */
export type Adaptavg1dSize = OneOf<Adaptavg1dOptions, "size" | "output_size">;

/** Forms of the options of `adaptavg1d`. */
export interface Adaptavg1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Adaptavg1dSize];
}

/** The option `size` of `adaptavg2d`, under one of its names. */
export type Adaptavg2dSize = OneOf<Adaptavg2dOptions, "size" | "output_size">;

/** Forms of the options of `adaptavg2d`. */
export interface Adaptavg2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Adaptavg2dSize];
}

/** The option `size` of `adaptavg3d`, under one of its names. */
export type Adaptavg3dSize = OneOf<Adaptavg3dOptions, "size" | "output_size">;

/** Forms of the options of `adaptavg3d`. */
export interface Adaptavg3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Adaptavg3dSize];
}

/** Options of `lppool1d` that have a default. */
export type Lppool1dDefaults = Pick<Lppool1dOptions, "stride" | "ceiling" | "ceil_mode">;

/** The option `p` of `lppool1d`, under one of its names. */
export type Lppool1dP = OneOf<Lppool1dOptions, "p" | "norm_type">;

/** The option `size` of `lppool1d`, under one of its names. */
export type Lppool1dSize = OneOf<Lppool1dOptions, "size" | "kernel_size">;

/** Forms of the options of `lppool1d`. */
export interface Lppool1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    p: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Lppool1dDefaults,
    ceiling?: boolean | Lppool1dDefaults,
    options?: Lppool1dDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [p: number, options: Lppool1dDefaults & Lppool1dSize];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Lppool1dDefaults & Lppool1dP & Lppool1dSize];
}

/** Options of `lppool2d` that have a default. */
export type Lppool2dDefaults = Pick<Lppool2dOptions, "stride" | "ceiling" | "ceil_mode">;

/** The option `p` of `lppool2d`, under one of its names. */
export type Lppool2dP = OneOf<Lppool2dOptions, "p" | "norm_type">;

/** The option `size` of `lppool2d`, under one of its names. */
export type Lppool2dSize = OneOf<Lppool2dOptions, "size" | "kernel_size">;

/** Forms of the options of `lppool2d`. */
export interface Lppool2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    p: number,
    size: number | readonly number[],
    stride?: number | readonly number[] | null | Lppool2dDefaults,
    ceiling?: boolean | Lppool2dDefaults,
    options?: Lppool2dDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [p: number, options: Lppool2dDefaults & Lppool2dSize];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Lppool2dDefaults & Lppool2dP & Lppool2dSize];
}

/** Options of `fmaxpool2d` that have a default. */
export type Fmaxpool2dDefaults = Pick<Fmaxpool2dOptions, "outsize" | "output_size" | "ratio" | "output_ratio">;

/** The option `size` of `fmaxpool2d`, under one of its names. */
export type Fmaxpool2dSize = OneOf<Fmaxpool2dOptions, "size" | "kernel_size">;

/** Forms of the options of `fmaxpool2d`. */
export interface Fmaxpool2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    outsize?: number | readonly number[] | null | Fmaxpool2dDefaults,
    ratio?: number | readonly number[] | null | Fmaxpool2dDefaults,
    options?: Fmaxpool2dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Fmaxpool2dDefaults & Fmaxpool2dSize];
}

/** Options of `fmaxpool3d` that have a default. */
export type Fmaxpool3dDefaults = Pick<Fmaxpool3dOptions, "outsize" | "output_size" | "ratio" | "output_ratio">;

/** The option `size` of `fmaxpool3d`, under one of its names. */
export type Fmaxpool3dSize = OneOf<Fmaxpool3dOptions, "size" | "kernel_size">;

/** Forms of the options of `fmaxpool3d`. */
export interface Fmaxpool3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number | readonly number[],
    outsize?: number | readonly number[] | null | Fmaxpool3dDefaults,
    ratio?: number | readonly number[] | null | Fmaxpool3dDefaults,
    options?: Fmaxpool3dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Fmaxpool3dDefaults & Fmaxpool3dSize];
}

/** Options of `pad` that have a default. */
export type PadDefaults = Pick<PadOptions, "mode" | "value">;

/** The option `pad` of `pad`, under one of its names. */
export type PadPad = OneOf<PadOptions, "pad">;

/** Forms of the options of `pad`. */
export interface PadForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    pad: number | readonly number[],
    mode?: "constant" | "reflect" | "replicate" | "circular" | PadDefaults,
    value?: number | PadDefaults,
    options?: PadDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: PadDefaults & PadPad];
}

/** Options of `pad1d` that have a default. */
export type Pad1dDefaults = Pick<Pad1dOptions, "value">;

/** The option `pad` of `pad1d`, under one of its names. */
export type Pad1dPad = OneOf<Pad1dOptions, "pad" | "padding">;

/** Forms of the options of `pad1d`. */
export interface Pad1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    pad: number | readonly number[],
    value?: number | Pad1dDefaults,
    options?: Pad1dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Pad1dDefaults & Pad1dPad];
}

/** Options of `pad2d` that have a default. */
export type Pad2dDefaults = Pick<Pad2dOptions, "value">;

/** The option `pad` of `pad2d`, under one of its names. */
export type Pad2dPad = OneOf<Pad2dOptions, "pad" | "padding">;

/** Forms of the options of `pad2d`. */
export interface Pad2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    pad: number | readonly number[],
    value?: number | Pad2dDefaults,
    options?: Pad2dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Pad2dDefaults & Pad2dPad];
}

/** Options of `pad3d` that have a default. */
export type Pad3dDefaults = Pick<Pad3dOptions, "value">;

/** The option `pad` of `pad3d`, under one of its names. */
export type Pad3dPad = OneOf<Pad3dOptions, "pad" | "padding">;

/** Forms of the options of `pad3d`. */
export interface Pad3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    pad: number | readonly number[],
    value?: number | Pad3dDefaults,
    options?: Pad3dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Pad3dDefaults & Pad3dPad];
}

/** The option `pad` of `reflect1d`, under one of its names. */
export type Reflect1dPad = OneOf<Reflect1dOptions, "pad" | "padding">;

/** Forms of the options of `reflect1d`. */
export interface Reflect1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [pad: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Reflect1dPad];
}

/** The option `pad` of `reflect2d`, under one of its names. */
export type Reflect2dPad = OneOf<Reflect2dOptions, "pad" | "padding">;

/** Forms of the options of `reflect2d`. */
export interface Reflect2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [pad: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Reflect2dPad];
}

/** The option `pad` of `replicate1d`, under one of its names. */
export type Replicate1dPad = OneOf<Replicate1dOptions, "pad" | "padding">;

/** Forms of the options of `replicate1d`. */
export interface Replicate1dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [pad: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Replicate1dPad];
}

/** The option `pad` of `replicate2d`, under one of its names. */
export type Replicate2dPad = OneOf<Replicate2dOptions, "pad" | "padding">;

/** Forms of the options of `replicate2d`. */
export interface Replicate2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [pad: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Replicate2dPad];
}

/** The option `pad` of `replicate3d`, under one of its names. */
export type Replicate3dPad = OneOf<Replicate3dOptions, "pad" | "padding">;

/** Forms of the options of `replicate3d`. */
export interface Replicate3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [pad: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Replicate3dPad];
}

/** The option `pad` of `zeropad2d`, under one of its names. */
export type Zeropad2dPad = OneOf<Zeropad2dOptions, "pad" | "padding">;

/** Forms of the options of `zeropad2d`. */
export interface Zeropad2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [pad: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Zeropad2dPad];
}

/** Forms of the options of `upsample`. */
export interface UpsampleForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size?: number | readonly number[] | null | UpsampleOptions,
    scale?: number | readonly number[] | null | UpsampleOptions,
    mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact" | UpsampleOptions,
    align?: boolean | null | UpsampleOptions,
    options?: UpsampleOptions,
  ];
}

/** Forms of the options of `interpolate`. */
export interface InterpolateForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size?: number | readonly number[] | null | InterpolateOptions,
    scale?: number | readonly number[] | null | InterpolateOptions,
    mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact" | InterpolateOptions,
    align?: boolean | null | InterpolateOptions,
    rescale?: boolean | null | InterpolateOptions,
    options?: InterpolateOptions,
  ];
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

/** Options of `groupnorm` that have a default. */
export type GroupnormDefaults = Pick<GroupnormOptions, "eps" | "affine">;

/** The option `groups` of `groupnorm`, under one of its names. */
export type GroupnormGroups = OneOf<GroupnormOptions, "groups" | "num_groups">;

/** The option `channels` of `groupnorm`, under one of its names. */
export type GroupnormChannels = OneOf<GroupnormOptions, "channels" | "num_channels">;

/** Forms of the options of `groupnorm`. */
export interface GroupnormForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    groups: number,
    channels: number,
    eps?: number | GroupnormDefaults,
    affine?: boolean | GroupnormDefaults,
    options?: GroupnormDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [groups: number, options: GroupnormDefaults & GroupnormChannels];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: GroupnormDefaults & GroupnormGroups & GroupnormChannels];
}

/** Options of `instancenorm` that have a default. */
export type InstancenormDefaults = Pick<
  InstancenormOptions,
  "eps" | "momentum" | "affine" | "track" | "track_running_stats"
>;

/** The option `channels` of `instancenorm`, under one of its names. */
export type InstancenormChannels = OneOf<InstancenormOptions, "channels" | "num_features">;

/** Forms of the options of `instancenorm`. */
export interface InstancenormForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    channels: number,
    eps?: number | InstancenormDefaults,
    momentum?: number | InstancenormDefaults,
    affine?: boolean | InstancenormDefaults,
    track?: boolean | InstancenormDefaults,
    options?: InstancenormDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: InstancenormDefaults & InstancenormChannels];
}

/** Options of `rmsnorm` that have a default. */
export type RmsnormDefaults = Pick<RmsnormOptions, "eps" | "affine" | "elementwise_affine">;

/** The option `shape` of `rmsnorm`, under one of its names. */
export type RmsnormShape = OneOf<RmsnormOptions, "shape" | "normalized_shape">;

/** Forms of the options of `rmsnorm`. */
export interface RmsnormForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    shape: number | readonly number[],
    eps?: number | null | RmsnormDefaults,
    affine?: boolean | RmsnormDefaults,
    options?: RmsnormDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: RmsnormDefaults & RmsnormShape];
}

/** Options of `embedding` that have a default. */
export type EmbeddingDefaults = Pick<
  EmbeddingOptions,
  "padindex" | "padding_idx" | "maxnorm" | "max_norm" | "p" | "norm_type"
>;

/** The option `rows` of `embedding`, under one of its names. */
export type EmbeddingRows = OneOf<EmbeddingOptions, "rows" | "num_embeddings">;

/** The option `columns` of `embedding`, under one of its names. */
export type EmbeddingColumns = OneOf<EmbeddingOptions, "columns" | "embedding_dim">;

/** Forms of the options of `embedding`. */
export interface EmbeddingForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    rows: number,
    columns: number,
    padindex?: number | null | EmbeddingDefaults,
    maxnorm?: number | null | EmbeddingDefaults,
    p?: number | EmbeddingDefaults,
    options?: EmbeddingDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [rows: number, options: EmbeddingDefaults & EmbeddingColumns];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: EmbeddingDefaults & EmbeddingRows & EmbeddingColumns];
}

/** Forms of the options of `cat`. */
export interface CatForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim?: number | CatOptions, options?: CatOptions];
}

/** Forms of the options of `prelu`. */
export interface PreluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [inputs?: number | PreluOptions, init?: number | PreluOptions, options?: PreluOptions];
}

/** Options of `embedbag` that have a default. */
export type EmbedbagDefaults = Pick<
  EmbedbagOptions,
  "maxnorm" | "max_norm" | "p" | "norm_type" | "mode" | "padindex" | "padding_idx" | "lastoffset" | "include_last_offset"
>;

/** The option `rows` of `embedbag`, under one of its names. */
export type EmbedbagRows = OneOf<EmbedbagOptions, "rows" | "num_embeddings">;

/** The option `columns` of `embedbag`, under one of its names. */
export type EmbedbagColumns = OneOf<EmbedbagOptions, "columns" | "embedding_dim">;

/** Forms of the options of `embedbag`. */
export interface EmbedbagForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    rows: number,
    columns: number,
    maxnorm?: number | null | EmbedbagDefaults,
    p?: number | EmbedbagDefaults,
    mode?: "sum" | "mean" | "max" | EmbedbagDefaults,
    padindex?: number | null | EmbedbagDefaults,
    lastoffset?: boolean | EmbedbagDefaults,
    options?: EmbedbagDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [rows: number, options: EmbedbagDefaults & EmbedbagColumns];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: EmbedbagDefaults & EmbedbagRows & EmbedbagColumns];
}

/** The option `rows` of `embedpos`, under one of its names. */
export type EmbedposRows = OneOf<EmbedposOptions, "rows">;

/** The option `columns` of `embedpos`, under one of its names. */
export type EmbedposColumns = OneOf<EmbedposOptions, "columns">;

/** Forms of the options of `embedpos`. */
export interface EmbedposForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [rows: number, columns: number];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [rows: number, options: EmbedposColumns];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: EmbedposRows & EmbedposColumns];
}

/** The option `rows` of `embedseq`, under one of its names. */
export type EmbedseqRows = OneOf<EmbedseqOptions, "rows">;

/** The option `columns` of `embedseq`, under one of its names. */
export type EmbedseqColumns = OneOf<EmbedseqOptions, "columns">;

/** The option `length` of `embedseq`, under one of its names. */
export type EmbedseqLength = OneOf<EmbedseqOptions, "length">;

/** Forms of the options of `embedseq`. */
export interface EmbedseqForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [rows: number, columns: number, length: number];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [rows: number, columns: number, options: EmbedseqLength];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [rows: number, options: EmbedseqColumns & EmbedseqLength];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: EmbedseqRows & EmbedseqColumns & EmbedseqLength];
}

/** Forms of the options of `onehot`. */
export interface OnehotForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    classes?: number | OnehotOptions,
    dtype?: "float" | "double" | "half" | "bfloat16" | "long" | "bool" | OnehotOptions,
    options?: OnehotOptions,
  ];
}

/** Options of `rnn` that have a default. */
export type RnnDefaults = Pick<
  RnnOptions,
  "layers" | "num_layers" | "fn" | "nonlinearity" | "bias" | "batchfirst" | "batch_first" | "dropout" | "bi" | "bidirectional"
>;

/** The option `inputs` of `rnn`, under one of its names. */
export type RnnInputs = OneOf<RnnOptions, "inputs" | "input_size">;

/** The option `hidden` of `rnn`, under one of its names. */
export type RnnHidden = OneOf<RnnOptions, "hidden" | "hidden_size">;

/** Forms of the options of `rnn`. */
export interface RnnForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    hidden: number,
    layers?: number | RnnDefaults,
    fn?: "tanh" | "relu" | RnnDefaults,
    bias?: boolean | RnnDefaults,
    batchfirst?: boolean | RnnDefaults,
    dropout?: number | RnnDefaults,
    bi?: boolean | RnnDefaults,
    options?: RnnDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: RnnDefaults & RnnHidden];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: RnnDefaults & RnnInputs & RnnHidden];
}

/** Options of `lstm` that have a default. */
export type LstmDefaults = Pick<
  LstmOptions,
  "layers" | "num_layers" | "bias" | "batchfirst" | "batch_first" | "dropout" | "bi" | "bidirectional"
>;

/** The option `inputs` of `lstm`, under one of its names. */
export type LstmInputs = OneOf<LstmOptions, "inputs" | "input_size">;

/** The option `hidden` of `lstm`, under one of its names. */
export type LstmHidden = OneOf<LstmOptions, "hidden" | "hidden_size">;

/** Forms of the options of `lstm`. */
export interface LstmForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    hidden: number,
    layers?: number | LstmDefaults,
    bias?: boolean | LstmDefaults,
    batchfirst?: boolean | LstmDefaults,
    dropout?: number | LstmDefaults,
    bi?: boolean | LstmDefaults,
    options?: LstmDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: LstmDefaults & LstmHidden];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: LstmDefaults & LstmInputs & LstmHidden];
}

/** Options of `gru` that have a default. */
export type GruDefaults = Pick<
  GruOptions,
  "layers" | "num_layers" | "bias" | "batchfirst" | "batch_first" | "dropout" | "bi" | "bidirectional"
>;

/** The option `inputs` of `gru`, under one of its names. */
export type GruInputs = OneOf<GruOptions, "inputs" | "input_size">;

/** The option `hidden` of `gru`, under one of its names. */
export type GruHidden = OneOf<GruOptions, "hidden" | "hidden_size">;

/** Forms of the options of `gru`. */
export interface GruForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    hidden: number,
    layers?: number | GruDefaults,
    bias?: boolean | GruDefaults,
    batchfirst?: boolean | GruDefaults,
    dropout?: number | GruDefaults,
    bi?: boolean | GruDefaults,
    options?: GruDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: GruDefaults & GruHidden];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: GruDefaults & GruInputs & GruHidden];
}

/** Options of `attention` that have a default. */
export type AttentionDefaults = Pick<
  AttentionOptions,
  "dropout" | "bias" | "addbias" | "add_bias_kv" | "addzero" | "add_zero_attn" | "kdim" | "vdim" | "batchfirst" | "batch_first" | "causal" | "is_causal" | "weights" | "need_weights"
>;

/** The option `dim` of `attention`, under one of its names. */
export type AttentionDim = OneOf<AttentionOptions, "dim" | "embed_dim">;

/** The option `heads` of `attention`, under one of its names. */
export type AttentionHeads = OneOf<AttentionOptions, "heads" | "num_heads">;

/** Forms of the options of `attention`. */
export interface AttentionForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    dim: number,
    heads: number,
    dropout?: number | AttentionDefaults,
    bias?: boolean | AttentionDefaults,
    addbias?: boolean | AttentionDefaults,
    addzero?: boolean | AttentionDefaults,
    kdim?: number | null | AttentionDefaults,
    vdim?: number | null | AttentionDefaults,
    batchfirst?: boolean | AttentionDefaults,
    causal?: boolean | AttentionDefaults,
    weights?: boolean | AttentionDefaults,
    options?: AttentionDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [dim: number, options: AttentionDefaults & AttentionHeads];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: AttentionDefaults & AttentionDim & AttentionHeads];
}

/** Options of `selfattention` that have a default. */
export type SelfattentionDefaults = Pick<SelfattentionOptions, "dropout" | "norm" | "causal" | "is_causal">;

/** The option `dim` of `selfattention`, under one of its names. */
export type SelfattentionDim = OneOf<SelfattentionOptions, "dim">;

/** The option `heads` of `selfattention`, under one of its names. */
export type SelfattentionHeads = OneOf<SelfattentionOptions, "heads">;

/** Forms of the options of `selfattention`. */
export interface SelfattentionForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    dim: number,
    heads: number,
    dropout?: number | SelfattentionDefaults,
    norm?: boolean | SelfattentionDefaults,
    causal?: boolean | SelfattentionDefaults,
    options?: SelfattentionDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [dim: number, options: SelfattentionDefaults & SelfattentionHeads];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: SelfattentionDefaults & SelfattentionDim & SelfattentionHeads];
}

/** Options of `encoderlayer` that have a default. */
export type EncoderlayerDefaults = Pick<
  EncoderlayerOptions,
  "dim" | "dim_feedforward" | "dropout" | "fn" | "activation" | "normfirst" | "norm_first" | "eps" | "layer_norm_eps" | "batchfirst" | "batch_first" | "causal" | "is_causal"
>;

/** The option `inputs` of `encoderlayer`, under one of its names. */
export type EncoderlayerInputs = OneOf<EncoderlayerOptions, "inputs" | "d_model">;

/** The option `heads` of `encoderlayer`, under one of its names. */
export type EncoderlayerHeads = OneOf<EncoderlayerOptions, "heads" | "nhead">;

/** Forms of the options of `encoderlayer`. */
export interface EncoderlayerForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    heads: number,
    dim?: number | EncoderlayerDefaults,
    dropout?: number | EncoderlayerDefaults,
    fn?: "relu" | "gelu" | EncoderlayerDefaults,
    normfirst?: boolean | EncoderlayerDefaults,
    eps?: number | EncoderlayerDefaults,
    batchfirst?: boolean | EncoderlayerDefaults,
    causal?: boolean | EncoderlayerDefaults,
    options?: EncoderlayerDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: EncoderlayerDefaults & EncoderlayerHeads];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: EncoderlayerDefaults & EncoderlayerInputs & EncoderlayerHeads];
}

/** Options of `decoderlayer` that have a default. */
export type DecoderlayerDefaults = Pick<
  DecoderlayerOptions,
  "dim" | "dim_feedforward" | "dropout" | "fn" | "activation" | "normfirst" | "norm_first" | "eps" | "layer_norm_eps" | "batchfirst" | "batch_first" | "causal" | "is_causal"
>;

/** The option `inputs` of `decoderlayer`, under one of its names. */
export type DecoderlayerInputs = OneOf<DecoderlayerOptions, "inputs" | "d_model">;

/** The option `heads` of `decoderlayer`, under one of its names. */
export type DecoderlayerHeads = OneOf<DecoderlayerOptions, "heads" | "nhead">;

/** Forms of the options of `decoderlayer`. */
export interface DecoderlayerForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    heads: number,
    dim?: number | DecoderlayerDefaults,
    dropout?: number | DecoderlayerDefaults,
    fn?: "relu" | "gelu" | DecoderlayerDefaults,
    normfirst?: boolean | DecoderlayerDefaults,
    eps?: number | DecoderlayerDefaults,
    batchfirst?: boolean | DecoderlayerDefaults,
    causal?: boolean | DecoderlayerDefaults,
    options?: DecoderlayerDefaults,
  ];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: DecoderlayerDefaults & DecoderlayerHeads];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: DecoderlayerDefaults & DecoderlayerInputs & DecoderlayerHeads];
}

/** Options of `encoder` that have a default. */
export type EncoderDefaults = Pick<
  EncoderOptions,
  "dim" | "dim_feedforward" | "dropout" | "fn" | "activation" | "norm" | "normfirst" | "norm_first" | "eps" | "layer_norm_eps" | "batchfirst" | "batch_first" | "causal" | "is_causal"
>;

/** The option `inputs` of `encoder`, under one of its names. */
export type EncoderInputs = OneOf<EncoderOptions, "inputs" | "d_model">;

/** The option `heads` of `encoder`, under one of its names. */
export type EncoderHeads = OneOf<EncoderOptions, "heads" | "nhead">;

/** The option `layers` of `encoder`, under one of its names. */
export type EncoderLayers = OneOf<EncoderOptions, "layers" | "num_layers">;

/** Forms of the options of `encoder`. */
export interface EncoderForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    heads: number,
    layers: number,
    dim?: number | EncoderDefaults,
    dropout?: number | EncoderDefaults,
    fn?: "relu" | "gelu" | EncoderDefaults,
    norm?: boolean | EncoderDefaults,
    normfirst?: boolean | EncoderDefaults,
    eps?: number | EncoderDefaults,
    batchfirst?: boolean | EncoderDefaults,
    causal?: boolean | EncoderDefaults,
    options?: EncoderDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, heads: number, options: EncoderDefaults & EncoderLayers];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: EncoderDefaults & EncoderHeads & EncoderLayers];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: EncoderDefaults & EncoderInputs & EncoderHeads & EncoderLayers];
}

/** Options of `decoder` that have a default. */
export type DecoderDefaults = Pick<
  DecoderOptions,
  "dim" | "dim_feedforward" | "dropout" | "fn" | "activation" | "norm" | "normfirst" | "norm_first" | "eps" | "layer_norm_eps" | "batchfirst" | "batch_first" | "causal" | "is_causal"
>;

/** The option `inputs` of `decoder`, under one of its names. */
export type DecoderInputs = OneOf<DecoderOptions, "inputs" | "d_model">;

/** The option `heads` of `decoder`, under one of its names. */
export type DecoderHeads = OneOf<DecoderOptions, "heads" | "nhead">;

/** The option `layers` of `decoder`, under one of its names. */
export type DecoderLayers = OneOf<DecoderOptions, "layers" | "num_layers">;

/** Forms of the options of `decoder`. */
export interface DecoderForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs: number,
    heads: number,
    layers: number,
    dim?: number | DecoderDefaults,
    dropout?: number | DecoderDefaults,
    fn?: "relu" | "gelu" | DecoderDefaults,
    norm?: boolean | DecoderDefaults,
    normfirst?: boolean | DecoderDefaults,
    eps?: number | DecoderDefaults,
    batchfirst?: boolean | DecoderDefaults,
    causal?: boolean | DecoderDefaults,
    options?: DecoderDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [inputs: number, heads: number, options: DecoderDefaults & DecoderLayers];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [inputs: number, options: DecoderDefaults & DecoderHeads & DecoderLayers];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: DecoderDefaults & DecoderInputs & DecoderHeads & DecoderLayers];
}

/** Forms of the options of `transformer`. */
export interface TransformerForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    inputs?: number | TransformerOptions,
    heads?: number | TransformerOptions,
    elayers?: number | TransformerOptions,
    dlayers?: number | TransformerOptions,
    dim?: number | TransformerOptions,
    dropout?: number | TransformerOptions,
    fn?: "relu" | "gelu" | TransformerOptions,
    normfirst?: boolean | TransformerOptions,
    eps?: number | TransformerOptions,
    batchfirst?: boolean | TransformerOptions,
    causal?: boolean | TransformerOptions,
    options?: TransformerOptions,
  ];
}

/** Options of `bilinear` that have a default. */
export type BilinearDefaults = Pick<BilinearOptions, "bias">;

/** The option `in1` of `bilinear`, under one of its names. */
export type BilinearIn1 = OneOf<BilinearOptions, "in1" | "in1_features">;

/** The option `in2` of `bilinear`, under one of its names. */
export type BilinearIn2 = OneOf<BilinearOptions, "in2" | "in2_features">;

/** The option `outputs` of `bilinear`, under one of its names. */
export type BilinearOutputs = OneOf<BilinearOptions, "outputs" | "out_features">;

/** Forms of the options of `bilinear`. */
export interface BilinearForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    in1: number,
    in2: number,
    outputs: number,
    bias?: boolean | BilinearDefaults,
    options?: BilinearDefaults,
  ];
  /** 2 by position, and the others in a dictionary. */
  readonly 2: readonly [in1: number, in2: number, options: BilinearDefaults & BilinearOutputs];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [in1: number, options: BilinearDefaults & BilinearIn2 & BilinearOutputs];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: BilinearDefaults & BilinearIn1 & BilinearIn2 & BilinearOutputs];
}

/** Forms of the options of `gelu`. */
export interface GeluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [tanh?: boolean | GeluOptions, options?: GeluOptions];
}

/** Forms of the options of `leakyrelu`. */
export interface LeakyreluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [slope?: number | LeakyreluOptions, options?: LeakyreluOptions];
}

/** Forms of the options of `rrelu`. */
export interface RreluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [lower?: number | RreluOptions, upper?: number | RreluOptions, options?: RreluOptions];
}

/** Forms of the options of `elu`. */
export interface EluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [alpha?: number | EluOptions, options?: EluOptions];
}

/** Forms of the options of `celu`. */
export interface CeluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [alpha?: number | CeluOptions, options?: CeluOptions];
}

/** Forms of the options of `glu`. */
export interface GluForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim?: number | GluOptions, options?: GluOptions];
}

/** Forms of the options of `hardtanh`. */
export interface HardtanhForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    min?: number | HardtanhOptions,
    max?: number | HardtanhOptions,
    options?: HardtanhOptions,
  ];
}

/** Forms of the options of `hardshrink`. */
export interface HardshrinkForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [lambda?: number | HardshrinkOptions, options?: HardshrinkOptions];
}

/** Forms of the options of `softshrink`. */
export interface SoftshrinkForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [lambda?: number | SoftshrinkOptions, options?: SoftshrinkOptions];
}

/** Forms of the options of `softplus`. */
export interface SoftplusForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    beta?: number | SoftplusOptions,
    threshold?: number | SoftplusOptions,
    options?: SoftplusOptions,
  ];
}

/** The option `threshold` of `threshold`, under one of its names. */
export type ThresholdThreshold = OneOf<ThresholdOptions, "threshold">;

/** The option `value` of `threshold`, under one of its names. */
export type ThresholdValue = OneOf<ThresholdOptions, "value">;

/** Forms of the options of `threshold`. */
export interface ThresholdForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [threshold: number, value: number];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [threshold: number, options: ThresholdValue];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: ThresholdThreshold & ThresholdValue];
}

/** The option `dim` of `softmax`, under one of its names. */
export type SoftmaxDim = OneOf<SoftmaxOptions, "dim">;

/** Forms of the options of `softmax`. */
export interface SoftmaxForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim: number];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: SoftmaxDim];
}

/** The option `dim` of `logsoftmax`, under one of its names. */
export type LogsoftmaxDim = OneOf<LogsoftmaxOptions, "dim">;

/** Forms of the options of `logsoftmax`. */
export interface LogsoftmaxForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim: number];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: LogsoftmaxDim];
}

/** The option `dim` of `softmin`, under one of its names. */
export type SoftminDim = OneOf<SoftminOptions, "dim">;

/** Forms of the options of `softmin`. */
export interface SoftminForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim: number];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: SoftminDim];
}

/** Forms of the options of `dropout`. */
export interface DropoutForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [p?: number | DropoutOptions, options?: DropoutOptions];
}

/** Forms of the options of `drop2d`. */
export interface Drop2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [p?: number | Drop2dOptions, options?: Drop2dOptions];
}

/** Forms of the options of `drop3d`. */
export interface Drop3dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [p?: number | Drop3dOptions, options?: Drop3dOptions];
}

/** Forms of the options of `adrop`. */
export interface AdropForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [p?: number | AdropOptions, options?: AdropOptions];
}

/** Forms of the options of `fadrop`. */
export interface FadropForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [p?: number | FadropOptions, options?: FadropOptions];
}

/** Forms of the options of `droppath`. */
export interface DroppathForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [p?: number | DroppathOptions, options?: DroppathOptions];
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

/** The option `size` of `reshape`, under one of its names. */
export type ReshapeSize = OneOf<ReshapeOptions, "size" | "shape">;

/** Forms of the options of `reshape`. */
export interface ReshapeForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: ReshapeSize];
}

/** Forms of the options of `squeeze`. */
export interface SqueezeForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim?: number | readonly number[] | null | SqueezeOptions, options?: SqueezeOptions];
}

/** The option `dim` of `unsqueeze`, under one of its names. */
export type UnsqueezeDim = OneOf<UnsqueezeOptions, "dim">;

/** Forms of the options of `unsqueeze`. */
export interface UnsqueezeForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim: number];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: UnsqueezeDim];
}

/** Forms of the options of `transpose`. */
export interface TransposeForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    dim0?: number | TransposeOptions,
    dim1?: number | TransposeOptions,
    options?: TransposeOptions,
  ];
}

/** The option `size` of `permute`, under one of its names. */
export type PermuteSize = OneOf<PermuteOptions, "size" | "dims">;

/** Forms of the options of `permute`. */
export interface PermuteForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: PermuteSize];
}

/** The option `size` of `expand`, under one of its names. */
export type ExpandSize = OneOf<ExpandOptions, "size" | "shape">;

/** Forms of the options of `expand`. */
export interface ExpandForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [size: number | readonly number[]];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: ExpandSize];
}

/** The option `dim` of `select`, under one of its names. */
export type SelectDim = OneOf<SelectOptions, "dim">;

/** The option `ind` of `select`, under one of its names. */
export type SelectInd = OneOf<SelectOptions, "ind" | "index">;

/** Forms of the options of `select`. */
export interface SelectForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim: number, ind: number];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [dim: number, options: SelectInd];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: SelectDim & SelectInd];
}

/** The option `dim` of `indexselect`, under one of its names. */
export type IndexselectDim = OneOf<IndexselectOptions, "dim">;

/** The option `ind` of `indexselect`, under one of its names. */
export type IndexselectInd = OneOf<IndexselectOptions, "ind" | "index">;

/** Forms of the options of `indexselect`. */
export interface IndexselectForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim: number, ind: number | readonly number[]];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [dim: number, options: IndexselectInd];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: IndexselectDim & IndexselectInd];
}

/** Options of `localnorm` that have a default. */
export type LocalnormDefaults = Pick<LocalnormOptions, "alpha" | "beta" | "k">;

/** The option `size` of `localnorm`, under one of its names. */
export type LocalnormSize = OneOf<LocalnormOptions, "size">;

/** Forms of the options of `localnorm`. */
export interface LocalnormForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number,
    alpha?: number | LocalnormDefaults,
    beta?: number | LocalnormDefaults,
    k?: number | LocalnormDefaults,
    options?: LocalnormDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: LocalnormDefaults & LocalnormSize];
}

/** Options of `crossmap2d` that have a default. */
export type Crossmap2dDefaults = Pick<Crossmap2dOptions, "alpha" | "beta" | "k">;

/** The option `size` of `crossmap2d`, under one of its names. */
export type Crossmap2dSize = OneOf<Crossmap2dOptions, "size">;

/** Forms of the options of `crossmap2d`. */
export interface Crossmap2dForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    size: number,
    alpha?: number | Crossmap2dDefaults,
    beta?: number | Crossmap2dDefaults,
    k?: number | Crossmap2dDefaults,
    options?: Crossmap2dDefaults,
  ];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: Crossmap2dDefaults & Crossmap2dSize];
}

/** Forms of the options of `normalize`. */
export interface NormalizeForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    p?: number | NormalizeOptions,
    dim?: number | NormalizeOptions,
    eps?: number | NormalizeOptions,
    options?: NormalizeOptions,
  ];
}

/** The option `mean` of `zscore`, under one of its names. */
export type ZscoreMean = OneOf<ZscoreOptions, "mean">;

/** The option `std` of `zscore`, under one of its names. */
export type ZscoreStd = OneOf<ZscoreOptions, "std">;

/** Forms of the options of `zscore`. */
export interface ZscoreForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [mean: number | readonly number[], std: number | readonly number[]];
  /** 1 by position, and the others in a dictionary. */
  readonly 1: readonly [mean: number | readonly number[], options: ZscoreStd];
  /** 0 by position, and the others in a dictionary. */
  readonly 0: readonly [options: ZscoreMean & ZscoreStd];
}

/** Forms of the options of `pairwise`. */
export interface PairwiseForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [
    p?: number | PairwiseOptions,
    eps?: number | PairwiseOptions,
    keepdim?: boolean | PairwiseOptions,
    options?: PairwiseOptions,
  ];
}

/** Forms of the options of `similar`. */
export interface SimilarForms {
  /** By position. A dictionary ends them: it has options with defaults. */
  readonly positions: readonly [dim?: number | SimilarOptions, eps?: number | SimilarOptions, options?: SimilarOptions];
}

/** Forms of the options of a layer without options. */
export interface NoOptionsForms {
  /** Nothing. */
  readonly positions: readonly [];
}

/** The forms of the options of each layer, by its name. */
export interface LayerFormsOf {
  /** A linear map of the last dimension. */
  readonly linear: LinearForms;
  /** A convolution of sequences. */
  readonly conv1d: Conv1dForms;
  /** A convolution of images. */
  readonly conv2d: Conv2dForms;
  /** A convolution of volumes. */
  readonly conv3d: Conv3dForms;
  /** A transposed convolution of sequences. */
  readonly convtranspose1d: Convtranspose1dForms;
  /** A transposed convolution of images. */
  readonly convtranspose2d: Convtranspose2dForms;
  /** A transposed convolution of volumes. */
  readonly convtranspose3d: Convtranspose3dForms;
  /** The windows of an image as columns. */
  readonly unfold: UnfoldForms;
  /** The sums of columns at the elements of an image. */
  readonly fold: FoldForms;
  /** The largest element of each window of a sequence. */
  readonly maxpool1d: Maxpool1dForms;
  /** The largest element of each window of an image. */
  readonly maxpool2d: Maxpool2dForms;
  /** The largest element of each window of a volume. */
  readonly maxpool3d: Maxpool3dForms;
  /** The mean of each window of a sequence. */
  readonly avgpool1d: Avgpool1dForms;
  /** The mean of each window of an image. */
  readonly avgpool2d: Avgpool2dForms;
  /** The mean of each window of a volume. */
  readonly avgpool3d: Avgpool3dForms;
  /** The largest elements of parts of a sequence. */
  readonly adaptmax1d: Adaptmax1dForms;
  /** The largest elements of parts of an image. */
  readonly adaptmax2d: Adaptmax2dForms;
  /** The largest elements of parts of a volume. */
  readonly adaptmax3d: Adaptmax3dForms;
  /** The means of parts of a sequence. */
  readonly adaptavg1d: Adaptavg1dForms;
  /** The means of parts of an image. */
  readonly adaptavg2d: Adaptavg2dForms;
  /** The means of parts of a volume. */
  readonly adaptavg3d: Adaptavg3dForms;
  /** The norm of each window of a sequence. */
  readonly lppool1d: Lppool1dForms;
  /** The norm of each window of an image. */
  readonly lppool2d: Lppool2dForms;
  /** The largest elements of windows of an image at random distances. */
  readonly fmaxpool2d: Fmaxpool2dForms;
  /** The largest elements of windows of a volume at random distances. */
  readonly fmaxpool3d: Fmaxpool3dForms;
  /** Elements around the last dimensions. */
  readonly pad: PadForms;
  /** A number around the last dimension. */
  readonly pad1d: Pad1dForms;
  /** A number around the last two dimensions. */
  readonly pad2d: Pad2dForms;
  /** A number around the last three dimensions. */
  readonly pad3d: Pad3dForms;
  /** The mirrored elements around the last dimension. */
  readonly reflect1d: Reflect1dForms;
  /** The mirrored elements around the last two dimensions. */
  readonly reflect2d: Reflect2dForms;
  /** The end elements around the last dimension. */
  readonly replicate1d: Replicate1dForms;
  /** The end elements around the last two dimensions. */
  readonly replicate2d: Replicate2dForms;
  /** The end elements around the last three dimensions. */
  readonly replicate3d: Replicate3dForms;
  /** Zeros around the last two dimensions. */
  readonly zeropad2d: Zeropad2dForms;
  /** An image in another size. */
  readonly upsample: UpsampleForms;
  /** An image in another size, with a scale that may be computed again. */
  readonly interpolate: InterpolateForms;
  /** Each channel normalised over the batch. */
  readonly batchnorm: BatchnormForms;
  /** Each sample normalised over its last dimensions. */
  readonly layernorm: LayernormForms;
  /** Groups of channels of each sample normalised. */
  readonly groupnorm: GroupnormForms;
  /** Each channel of each sample normalised. */
  readonly instancenorm: InstancenormForms;
  /** Each sample divided by its root mean square over the last dimensions. */
  readonly rmsnorm: RmsnormForms;
  /** A vector for each index. */
  readonly embedding: EmbeddingForms;
  /** Two inputs joined along a dimension. */
  readonly cat: CatForms;
  /** x where it is positive, else x times a weight that is trained. */
  readonly prelu: PreluForms;
  /** The sum, mean or maximum of the vectors of each bag of indices. */
  readonly embedbag: EmbedbagForms;
  /** A vector for each position of a sequence. */
  readonly embedpos: EmbedposForms;
  /** The vector of each token, plus the vector of its position. */
  readonly embedseq: EmbedseqForms;
  /** Each class as a row of zeros with a 1. */
  readonly onehot: OnehotForms;
  /** Simple recurrent cells over a sequence. Results: output and state. */
  readonly rnn: RnnForms;
  /** Cells with a long short-term memory over a sequence. Results: output, state and memory. */
  readonly lstm: LstmForms;
  /** Gated recurrent cells over a sequence. Results: output and state. */
  readonly gru: GruForms;
  /** Attention of a query to keys and values with several heads, or of one input to itself. */
  readonly attention: AttentionForms;
  /** Attention of a sequence to itself with several heads. */
  readonly selfattention: SelfattentionForms;
  /** A layer of an encoder: self-attention and two linear maps. */
  readonly encoderlayer: EncoderlayerForms;
  /** A layer of a decoder: self-attention, attention to a memory, and two linear maps. */
  readonly decoderlayer: DecoderlayerForms;
  /** The encoder of a transformer: layers one after the other. */
  readonly encoder: EncoderForms;
  /** The decoder of a transformer: layers one after the other. */
  readonly decoder: DecoderForms;
  /** An encoder of a source, and a decoder of a target that attends to its result. */
  readonly transformer: TransformerForms;
  /** A map of two inputs that is linear in each. */
  readonly bilinear: BilinearForms;
  /** The larger of 0 and x. */
  readonly relu: NoOptionsForms;
  /** The hyperbolic tangent. */
  readonly tanh: NoOptionsForms;
  /** 1 / (1 + exp(-x)). */
  readonly sigmoid: NoOptionsForms;
  /** x times the share of a normal distribution below x. */
  readonly gelu: GeluForms;
  /** Elements limited to 0 and 6. */
  readonly relu6: NoOptionsForms;
  /** x where it is positive, else slope x. */
  readonly leakyrelu: LeakyreluForms;
  /** x where it is positive, else x times a slope that is drawn for each element while training. */
  readonly rrelu: RreluForms;
  /** x where it is positive, else alpha (exp(x) - 1). */
  readonly elu: EluForms;
  /** x where it is positive, else alpha (exp(x / alpha) - 1). */
  readonly celu: CeluForms;
  /** The scaled exponential unit of self-normalising networks. */
  readonly selu: NoOptionsForms;
  /** x sigmoid(x). */
  readonly silu: NoOptionsForms;
  /** x tanh(log(1 + exp(x))). */
  readonly mish: NoOptionsForms;
  /** The first half along a dimension times the sigmoid of the second. */
  readonly glu: GluForms;
  /** The logarithm of the sigmoid. */
  readonly logsigmoid: NoOptionsForms;
  /** x - tanh(x). */
  readonly tanhshrink: NoOptionsForms;
  /** Elements limited to a range. */
  readonly hardtanh: HardtanhForms;
  /** x where its size is above lambda, else 0. */
  readonly hardshrink: HardshrinkForms;
  /** x moved towards 0 by lambda, and 0 where its size is at most lambda. */
  readonly softshrink: SoftshrinkForms;
  /** x / (1 + abs(x)). */
  readonly softsign: NoOptionsForms;
  /** log(1 + exp(beta x)) / beta. */
  readonly softplus: SoftplusForms;
  /** x where it is above a threshold, else a value. */
  readonly threshold: ThresholdForms;
  /** exp(x) divided by its sum along a dimension. */
  readonly softmax: SoftmaxForms;
  /** The logarithm of softmax. */
  readonly logsoftmax: LogsoftmaxForms;
  /** Softmax of -x. */
  readonly softmin: SoftminForms;
  /** Softmax over the channels of images `[n, c, h, w]` or `[c, h, w]`. */
  readonly softmax2d: NoOptionsForms;
  /** Elements set to 0 at random while training. */
  readonly dropout: DropoutForms;
  /** Channels of images `[n, c, h, w]` or of sequences `[n, c, l]` set to 0 at random while training. */
  readonly drop2d: Drop2dForms;
  /** Channels of volumes `[n, c, d, h, w]` or `[c, d, h, w]` set to 0 at random while training. */
  readonly drop3d: Drop3dForms;
  /** Elements set to the limit of SELU at random while training, so that mean 0 and variance 1 stay. */
  readonly adrop: AdropForms;
  /** Channels of `[n, c, *]` set to the limit of SELU at random while training. */
  readonly fadrop: FadropForms;
  /** Samples of `[n, *]` set to 0 at random while training, as of a branch of a residual network. */
  readonly droppath: DroppathForms;
  /** Several dimensions become one. */
  readonly flatten: FlattenForms;
  /** The elements in another shape. */
  readonly reshape: ReshapeForms;
  /** Without dimensions of size 1. */
  readonly squeeze: SqueezeForms;
  /** With a new dimension of size 1. */
  readonly unsqueeze: UnsqueezeForms;
  /** Two dimensions exchanged. */
  readonly transpose: TransposeForms;
  /** The dimensions in another order. */
  readonly permute: PermuteForms;
  /** Dimensions of size 1 repeated. */
  readonly expand: ExpandForms;
  /** The part at one index of a dimension, without that dimension. */
  readonly select: SelectForms;
  /** The parts at indices of a dimension. */
  readonly indexselect: IndexselectForms;
  /** The input itself. */
  readonly identity: NoOptionsForms;
  /** The product of matrices `[*, m, k]` and `[*, k, n]`; leading dimensions broadcast. */
  readonly matmul: NoOptionsForms;
  /** The product of the elements of two inputs, which broadcast. */
  readonly mul: NoOptionsForms;
  /** Each element divided by a power of the mean square of neighbouring channels. */
  readonly localnorm: LocalnormForms;
  /** `localnorm` of images `[n, c, h, w]`. */
  readonly crossmap2d: Crossmap2dForms;
  /** Vectors along a dimension divided by their norm. */
  readonly normalize: NormalizeForms;
  /** The input minus given means, divided by given deviations. */
  readonly zscore: ZscoreForms;
  /** The norm of the difference of two inputs, along the last dimension. */
  readonly pairwise: PairwiseForms;
  /** The cosine of the angle of two inputs along a dimension. */
  readonly similar: SimilarForms;
  /** Another name of `dropout`. */
  readonly drop: DropoutForms;
  /** Another name of `embedding`. */
  readonly embed: EmbeddingForms;
  /** Another name of `batchnorm`. */
  readonly batchnorm1d: BatchnormForms;
  /** Another name of `batchnorm`. */
  readonly batchnorm2d: BatchnormForms;
  /** Another name of `batchnorm`. */
  readonly batchnorm3d: BatchnormForms;
  /** Another name of `instancenorm`. */
  readonly instancenorm1d: InstancenormForms;
  /** Another name of `instancenorm`. */
  readonly instancenorm2d: InstancenormForms;
  /** Another name of `instancenorm`. */
  readonly instancenorm3d: InstancenormForms;
}
