for metric in MetadataNoToken MetadataNoTokenRejected; do
  query="SELECT SUM($metric) FROM SCHEMA(\\\"AWS/EC2\\\", InstanceId)"
  aws cloudwatch put-metric-alarm --region {{.Region}} --alarm-name "$metric-all" \
    --metrics "[{\"Id\":\"all\",\"Expression\":\"$query\",\"Period\":300,\"ReturnData\":true}]" \
    --evaluation-periods 1 --treat-missing-data notBreaching \
    --comparison-operator GreaterThanThreshold --threshold 0 --alarm-actions TOPIC_ARN
done
