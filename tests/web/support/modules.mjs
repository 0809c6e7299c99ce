// Where the installed packages are: outside the source tree, in build/web, so that the tree stays clean.
// run.sh puts them there (npm ci); MESHSTOW_WEB_MODULES names another folder.
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const webDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const rootDir = path.resolve(webDir, '..', '..');
export const modulesDir = process.env.MESHSTOW_WEB_MODULES ?? path.join(rootDir, 'build', 'web');

export const requireInstalled = createRequire(path.join(modulesDir, 'package.json'));

// The two libraries that apps in the wild embed. `bundle` is the file that a page loads.
export const libraries = ['remotestorage-1', 'remotestorage-2'].map((name) => {
  const folder = path.join(modulesDir, 'node_modules', name);
  return {name, folder, bundle: path.join(folder, 'release', 'remotestorage.js'),
          version: requireInstalled(`${name}/package.json`).version};
});
