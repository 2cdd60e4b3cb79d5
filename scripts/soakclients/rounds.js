// Asks as often as the environment says; whatever the service answers.
module.exports = async ask => {
  const { ROUNDS, PAUSE } = process.env
  for (let i = 0; i < ROUNDS; i++) {
    await ask().catch(() => {})
    await new Promise(done => setTimeout(done, PAUSE))
  }
}
