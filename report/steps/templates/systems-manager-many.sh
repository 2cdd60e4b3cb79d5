{{range .Batches -}}
aws ssm start-automation-execution --region {{$.RegionOf (index . 0)}} \
  --document-name AWSSupport-ConfigureEC2Metadata \
  --parameters EnforceIMDSv2={{$.Tokens}} --target-parameter-name InstanceId \
  --targets 'Key=ParameterValues,Values={{ids .}}' --max-concurrency 10 --max-errors 1
{{end -}}
