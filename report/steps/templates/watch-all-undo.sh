aws cloudwatch delete-alarms --region {{.Region}} \
  --alarm-names MetadataNoToken-all MetadataNoTokenRejected-all
