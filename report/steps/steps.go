package steps

import "strings"

// userGuide is where most of this is documented.
const userGuide = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/"

// For lists what is to be done, the next first. What would break programs while they are
// not ready is listed then, too, with a title that says so.
func For(s Situation) []Step {
	s = s.trusted()
	var all []Step
	for _, of := range []func(*Situation) []Step{
		first, requireRunning, hopLimit,
		launch, launchTemplate, image, accountDefaults,
		cloudFormation, cdk, terraform, systemsManager,
		scp, iam, watch,
	} {
		all = append(all, of(&s)...)
	}
	for i := range all {
		all[i].Placeholders = placeholdersIn(&all[i])
	}
	return all
}

// whenReady marks the title of a step that has to wait.
func whenReady(title string, ready bool) string {
	if ready {
		return title
	}
	return title + " (when ready)"
}

// first is what keeps the others waiting.
func first(s *Situation) []Step {
	if s.Ready {
		return nil
	}
	step := Step{
		ID:     "first",
		Title:  "First, see to what keeps it from being ready",
		Ways:   []Way{},
		Source: userGuide + "instance-metadata-transition-to-version-2.html",
	}
	if len(s.InTheWay) > 0 {
		step.Text = "In the way: " + strings.Join(s.InTheWay, "; ") + ". Of each program the report says why, and what to do. " +
			"With version 2 required its calls fail. Once it is updated, --since and that day have a report pass over the calls from before. "
	}
	if len(s.Missing) > 0 {
		step.Text += "Not observed yet: " + strings.Join(s.Missing, "; ") + ". "
	}
	if s.Unplaced {
		step.Text += "Some of that may be of any instance, so that none is named as ready: what could not be read, or calls of hosts that have no instance's id. "
	}
	step.Text += "Then observe on, and make the report again. What is marked (when ready) has to wait for that."
	return []Step{step}
}
