package page

import (
	"cmp"
	"html/template"
	"slices"

	"imds-analyzer/report"
)

// serviceNumbers are the figures that CloudWatch has, too.
type serviceNumbers struct {
	report.ServiceNumbers // of all hosts, without periods
	Hosts                 list
}

// Room for the hosts with most calls without a token, 300 bytes each.
const (
	serviceBytes = 16 << 10
	serviceHosts = 20
)

func (v *view) addService(templates *template.Template) error {
	var hosts []*report.Host
	for i := range v.Report.Hosts {
		h := &v.Report.Hosts[i]
		v.Service.NoToken = report.Sum(v.Service.NoToken, h.Service.NoToken)
		v.Service.Rejected = report.Sum(v.Service.Rejected, h.Service.Rejected)
		v.Service.NotFound = report.Sum(v.Service.NotFound, h.Service.NotFound)
		if h.Service.NoToken+h.Service.Rejected+h.Service.NotFound > 0 {
			hosts = append(hosts, h)
		}
	}
	slices.SortStableFunc(hosts, func(a, b *report.Host) int {
		return cmp.Or(cmp.Compare(b.Service.NoToken, a.Service.NoToken), cmp.Compare(b.Service.Rejected, a.Service.Rejected))
	})
	v.Service.Hosts.Total = len(hosts)
	room := newPart(templates, serviceBytes)
	for _, h := range hosts[:min(serviceHosts, len(hosts))] {
		if err := v.Service.Hosts.add(room, h, h.Calls, "service.html"); err != nil {
			return err
		}
	}
	v.Service.Hosts.More = len(hosts) - len(v.Service.Hosts.Shown)
	return nil
}
