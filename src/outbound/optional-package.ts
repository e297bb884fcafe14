// Packages that only some installations need: loaded when they are used, and named in an error if they are not installed.
import { AppError } from '#domain/errors.ts';

/**
 * Loads a package.
 * @param setting the setting that needs it
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
