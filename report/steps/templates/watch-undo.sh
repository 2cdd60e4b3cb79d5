aws cloudwatch delete-alarms --region {{.Region}} \
  --alarm-names MetadataNoToken-{{.Instance}} MetadataNoTokenRejected-{{.Instance}}
