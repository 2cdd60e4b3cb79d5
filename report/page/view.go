package page

import (
	"html/template"
	"time"

	"imds-analyzer/report"
)

// view is what the page is made of.
type view struct {
	*report.Report
	Style template.CSS
	Made  Made
	Who   subject
	// First and Last are between when hosts were observed.
	First, Last time.Time
	// LeastDays is for how long the host was that was for the least time.
	LeastDays float64
	// Silent are instances of which no input tells, and which may call version 1.
	Silent    int
	Boots     uint64
	Blocking  uint64
	Refused   uint64
	Standings []standing

	Plot     *plot
	Programs list
	// ProgramLines are those that there is no room for to tell all that is known of them.
	ProgramLines list
	V2Programs   list
	Groups       []group
	Service      serviceNumbers
	Steps        list
	Instances    *instances
	ReadyNow     list
}

// standing is how many hosts have a verdict.
type standing struct {
	Status report.Status
	Hosts  int
}

func newView(r *report.Report, m Made, templates *template.Template) (v *view, err error) {
	style, err := files.ReadFile("templates/page.css")
	if err != nil {
		return nil, err
	}
	v = &view{Report: r, Style: template.CSS(style), Made: m, Who: newSubject(r.Hosts), Plot: newPlot(r.Timeline)}
	if r.Inventory != nil {
		v.Silent = r.Inventory.Silent
	}
	v.observe()
	for _, fill := range []func(*template.Template) error{v.addPrograms, v.addV2Programs, v.addHosts, v.addService, v.addSteps, v.addInstances, v.addReady} {
		if err := fill(templates); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Shares are hosts and silent instances, which share the bar of verdicts.
func (v *view) Shares() int { return v.Who.Hosts + v.Silent }

// observe adds up what the verdict rests on.
func (v *view) observe() {
	hosts := map[report.Status]int{}
	for i := range v.Hosts {
		h := &v.Hosts[i]
		v.Blocking = report.Sum(v.Blocking, h.Blocking)
		v.Refused = report.Sum(v.Refused, h.Refused)
		v.Boots = report.Sum(v.Boots, h.Observed.Boots.Count)
		if !h.Others() {
			if len(hosts) == 0 || h.Observed.Days < v.LeastDays {
				v.LeastDays = h.Observed.Days
			}
			hosts[h.Verdict.Status]++
		}
		if first := h.Observed.First; v.First.IsZero() || !first.IsZero() && first.Before(v.First) {
			v.First = first
		}
		if last := h.Observed.Last; last.After(v.Last) {
			v.Last = last
		}
	}
	for _, s := range report.Statuses() {
		if hosts[s] > 0 {
			v.Standings = append(v.Standings, standing{s, hosts[s]})
		}
	}
}
