// "Did you mean", for what stands in an address of the page.
export { didYouMean } from '#domain/nearest-name.ts';
