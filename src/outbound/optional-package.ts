// Packages that only some installations need: loaded when they are used, and told of by name where they are not installed.
import { AppError } from '#domain/errors.ts';

/**
 * Loads a package.
 * @param setting what of the configuration needs it
 * @throws AppError PACKAGE_MISSING
 */
export async function optionalPackage<T>(name: string, setting: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new AppError('PACKAGE_MISSING', `${setting} needs the package ${name}: npm install ${name}`, {
      cause: error,
    });
  }
}
