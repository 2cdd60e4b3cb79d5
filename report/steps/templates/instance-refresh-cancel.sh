aws autoscaling cancel-instance-refresh --region {{.Region}} \
  --auto-scaling-group-name AUTO_SCALING_GROUP_NAME
