aws ssm start-automation-execution --region {{.Region}} \
  --document-name AWSSupport-ConfigureEC2Metadata \
  --parameters InstanceId={{.Instance}},EnforceIMDSv2={{.Tokens}}
