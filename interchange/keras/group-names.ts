/** As Keras makes it: `MaxPooling2D` is `max_pooling2d`. */
export const snakeCase = (className: string) =>
  className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
