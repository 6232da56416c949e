/** What several ranks cannot train together yet. */
import type { TrainRecipe } from "../../program/recipe.js";
import { mixesImages } from "../../program/recipe.js";
import { InputError } from "../errors.js";

/** Throws InputError for a recipe whose run on several ranks would not equal one of a process. */
export function assertExchangeable({ data }: Pick<TrainRecipe, "data">): void {
  if (!mixesImages(data?.train)) return;
  throw new InputError(
    "mixup and cutmix pair the images of a whole batch, and each rank has a part of it: " +
      "train on one rank, or leave them out of the recipe",
  );
}
