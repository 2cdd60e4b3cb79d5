for metric in MetadataNoToken MetadataNoTokenRejected; do
  aws cloudwatch put-metric-alarm --region {{.Region}} --alarm-name "$metric-{{.Instance}}" \
    --namespace AWS/EC2 --metric-name "$metric" --statistic Sum --period 300 \
    --dimensions Name=InstanceId,Value={{.Instance}} \
    --evaluation-periods 1 --treat-missing-data notBreaching \
    --comparison-operator GreaterThanThreshold --threshold 0 --alarm-actions TOPIC_ARN
done
