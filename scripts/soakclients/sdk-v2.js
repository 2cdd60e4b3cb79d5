process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'
require('aws-sdk/global')
const MetadataService = require('aws-sdk/lib/metadata_service')
const service = new MetadataService({ host: process.env.HOST.includes(':') ? `[${process.env.HOST}]` : process.env.HOST })
const wait = start => new Promise(done => start(() => done()))
require('./rounds')(async () => {
  await wait(done => service.loadCredentials(done))
  await wait(done => service.request('/latest/meta-data/absent', done))
})
