package steps

import "slices"

// cloudFormation, cdk and terraform say it where instances are described.
func cloudFormation(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "cloudformation",
		Title: whenReady("Require version 2 in CloudFormation", s.Ready),
		Text: "Add MetadataOptions to what is there. On an instance the change needs no interruption. A launch template gets a new version, but CloudFormation " +
			"leaves its default version as it is: groups have to name the latest one, as Group does here, and what else uses the template, too. " +
			"Instances that run already stay as they are.",
		Ways:   []Way{p.way("CloudFormation", "cloudformation.yaml")},
		Undo:   []Way{p.optional().way("CloudFormation", "cloudformation.yaml")},
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ec2-instance-metadataoptions.html",
	}}
}

func cdk(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "cdk",
		Title: whenReady("Require version 2 in CDK", s.Ready),
		Text: "Add httpTokens to what is there. Where the CDK is too old to have it on instances, requireImdsv2 makes a launch template for them. " +
			"A launch template gets a new version; groups that are given the template use its latest version, and its default version stays as it is, as in CloudFormation.",
		Ways:   []Way{p.way("CDK", "cdk.ts")},
		Undo:   []Way{p.optional().way("CDK", "cdk.ts")},
		Source: "https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_ec2.HttpTokens.html",
	}}
}

func terraform(s *Situation) []Step {
	p := s.page()
	return []Step{{
		ID:    "terraform",
		Title: whenReady("Require version 2 in Terraform", s.Ready),
		Text: "Add metadata_options to what is there: the instance is changed in place. A launch template gets a new version, which becomes its default only with " +
			"update_default_version; groups can name its latest_version instead. The last resource is the default of the account in the provider's region.",
		Ways:   []Way{p.way("Terraform", "terraform.tf")},
		Undo:   []Way{p.optional().way("Terraform", "terraform.tf")},
		Source: "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance#metadata-options",
	}}
}

// maxTargets is how many values a target of an automation can have
// (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html).
const maxTargets = 50

// systemsManager has the runbook do it, for all instances that are ready, or for one.
func systemsManager(s *Situation) []Step {
	ready := s.that(isReady)
	p := s.page()
	p.Batches = batches(ready)
	file := "systems-manager-many.sh"
	if len(ready) < 2 {
		file = "systems-manager.sh"
		p = p.of(s.only(ready))
	}
	return []Step{{
		ID:    "systems-manager",
		Title: whenReady("Have a Systems Manager runbook require version 2", s.Ready || len(ready) > 0),
		Text: "AWSSupport-ConfigureEC2Metadata sets the options of instances and looks whether they came about. " +
			"Where AWS Config is to remediate its rule ec2-imdsv2-check, AWSConfigRemediation-EnforceEC2InstanceIMDSv2 does it.",
		Ways:   []Way{p.way("AWS CLI", file)},
		Undo:   []Way{p.optional().way("AWS CLI", file)},
		Source: "https://docs.aws.amazon.com/systems-manager-automation-runbooks/latest/userguide/automation-awssupport-configureec2metadata.html",
	}}
}

// batches are the instances, which are in order of region, by region and in parts that
// one automation can have.
func batches(all []Instance) (parts [][]Instance) {
	for len(all) > 0 {
		end := slices.IndexFunc(all, func(i Instance) bool { return i.Region != all[0].Region })
		if end < 0 {
			end = len(all)
		}
		end = min(end, maxTargets)
		parts = append(parts, all[:end])
		all = all[end:]
	}
	return parts
}
