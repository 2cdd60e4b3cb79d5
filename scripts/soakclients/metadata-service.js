const { MetadataService } = require('@aws-sdk/ec2-metadata-service')
const service = new MetadataService({ endpoint: process.env.BASE, httpOptions: { timeout: 2000 }, retries: 0 })
require('./rounds')(() => service.request('/latest/meta-data/placement/region', {}))
