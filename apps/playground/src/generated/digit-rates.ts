// Written by apps/playground/scripts/sweep-digits.ts; not to be edited.

/** For each optimizer and batch size: the learning rate that reads the most test digits, and the share that it reads. */
export const digitRates: {
  readonly [optimizer: string]: { readonly [batch: number]: { readonly lr: number; readonly accuracy: number } };
} = {
  sgd: {
    50: { lr: 0.05, accuracy: 0.956 },
    100: { lr: 0.1, accuracy: 0.9575 },
    200: { lr: 0.1, accuracy: 0.953 },
    500: { lr: 0.1, accuracy: 0.944 },
    1000: { lr: 0.2, accuracy: 0.936 },
    2000: { lr: 0.1, accuracy: 0.906 },
    4000: { lr: 0.2, accuracy: 0.8905 },
    8000: { lr: 0.2, accuracy: 0.86 },
  },
  adagrad: {
    50: { lr: 0.2, accuracy: 0.9545 },
    100: { lr: 0.1, accuracy: 0.9505 },
    200: { lr: 0.1, accuracy: 0.951 },
    500: { lr: 0.05, accuracy: 0.9405 },
    1000: { lr: 0.05, accuracy: 0.9145 },
    2000: { lr: 0.01, accuracy: 0.8895 },
    4000: { lr: 0.02, accuracy: 0.8605 },
    8000: { lr: 0.01, accuracy: 0.831 },
  },
  rmsprop: {
    50: { lr: 0.005, accuracy: 0.9605 },
    100: { lr: 0.005, accuracy: 0.955 },
    200: { lr: 0.005, accuracy: 0.9515 },
    500: { lr: 0.005, accuracy: 0.9435 },
    1000: { lr: 0.005, accuracy: 0.9195 },
    2000: { lr: 0.002, accuracy: 0.8895 },
    4000: { lr: 0.002, accuracy: 0.8635 },
    8000: { lr: 0.001, accuracy: 0.832 },
  },
  adam: {
    50: { lr: 0.01, accuracy: 0.955 },
    100: { lr: 0.01, accuracy: 0.9535 },
    200: { lr: 0.01, accuracy: 0.9515 },
    500: { lr: 0.02, accuracy: 0.95 },
    1000: { lr: 0.02, accuracy: 0.938 },
    2000: { lr: 0.02, accuracy: 0.924 },
    4000: { lr: 0.01, accuracy: 0.8955 },
    8000: { lr: 0.005, accuracy: 0.836 },
  },
  adamw: {
    50: { lr: 0.01, accuracy: 0.9575 },
    100: { lr: 0.005, accuracy: 0.9545 },
    200: { lr: 0.01, accuracy: 0.9565 },
    500: { lr: 0.02, accuracy: 0.95 },
    1000: { lr: 0.02, accuracy: 0.9365 },
    2000: { lr: 0.02, accuracy: 0.924 },
    4000: { lr: 0.01, accuracy: 0.8955 },
    8000: { lr: 0.005, accuracy: 0.8365 },
  },
  lamb: {
    50: { lr: 0.02, accuracy: 0.9595 },
    100: { lr: 0.02, accuracy: 0.9525 },
    200: { lr: 0.05, accuracy: 0.9515 },
    500: { lr: 0.05, accuracy: 0.947 },
    1000: { lr: 0.1, accuracy: 0.9495 },
    2000: { lr: 0.2, accuracy: 0.9295 },
    4000: { lr: 0.2, accuracy: 0.908 },
    8000: { lr: 0.2, accuracy: 0.8645 },
  },
};
