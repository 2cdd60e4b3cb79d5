import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';

const app = new App();
const stack = new Stack(app, 'Imdsv2', { env: { region: '{{.Region}}' } });

new ec2.Instance(stack, 'Instance', {
  vpc: new ec2.Vpc(stack, 'Vpc'),
  machineImage: ec2.MachineImage.latestAmazonLinux2023(),
  instanceType: new ec2.InstanceType('INSTANCE_TYPE'),
  httpTokens: ec2.HttpTokens.{{upper .Tokens}},
{{- with .HopLimit}}
  httpPutResponseHopLimit: {{.}},
{{- end}}
});

new ec2.LaunchTemplate(stack, 'LaunchTemplate', {
  machineImage: ec2.MachineImage.latestAmazonLinux2023(),
  instanceType: new ec2.InstanceType('INSTANCE_TYPE'),
  httpTokens: ec2.LaunchTemplateHttpTokens.{{upper .Tokens}},
{{- with .HopLimit}}
  httpPutResponseHopLimit: {{.}},
{{- end}}
});
