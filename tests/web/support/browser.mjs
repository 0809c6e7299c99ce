// Headless Chromium (the Debian package, or MESHSTOW_CHROMIUM), which talks to nobody but the test.
import fs from 'node:fs';

import {requireInstalled} from './modules.mjs';
import {kPatienceMs, temporary_folder} from './processes.mjs';

const executable = process.env.MESHSTOW_CHROMIUM ?? '/usr/bin/chromium';
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1'];

export async function start_browser() {
  if (!fs.existsSync(executable)) throw new Error(`no browser at ${executable}: install the package chromium`);
  const {chromium} = requireInstalled('playwright-core');
  const home = temporary_folder('browser');
  const browser = await chromium.launch({executablePath: executable, args: flags, headless: true,
    env: {...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home}});
  const fresh = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await fresh(options);
    context.setDefaultTimeout(kPatienceMs / 4);
    return context;
  };
  return browser;
}
