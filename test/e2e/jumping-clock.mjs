// Loaded before a program: SIGUSR2 is a laptop that slept for 13 hours, longer than a session lasts.
const now = Date.now.bind(Date);
let ahead = 0;
Date.now = () => now() + ahead;
process.on('SIGUSR2', () => {
  ahead += 13 * 3600 * 1000;
});
