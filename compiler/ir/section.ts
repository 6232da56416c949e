/** Whether a layer or a weight of this full name is in a section: `big.features.conv1.weight`. */
export const isOfSection = (name: string, section: string): boolean =>
  name.startsWith(`${section}.`);
