// Takes the place of a worker that somebody else left in this origin while the port was theirs, and goes.
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil((async () => {
  await registration.unregister();
  for (const client of await clients.matchAll({type: 'window'})) await client.navigate(client.url).catch(() => {});
})()));
