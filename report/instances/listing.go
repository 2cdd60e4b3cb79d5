package instances

import "strings"

// listing is what a page is of, as far as its instances tell: calls of aws ec2
// describe-instances are for one account and region, and so are all pages of each.
type listing struct{ account, region string }

// page takes in that a page was read whole. It goes on with one earlier page of its listing,
// in the same input or in another; one of which nothing is known goes on with none but its
// like, since an empty list may be of anything.
func (l *List) page(of listing, goesOn bool) {
	if l.open[of] > 0 {
		l.open[of]--
	}
	if goesOn {
		l.open[of]++
	}
	if l.open[of] == 0 {
		delete(l.open, of)
	}
}

// accountDigits is how many an account's id has.
const accountDigits = 12

// see takes in what an object on the page tells of it.
func (of *listing) see(d *described) {
	if of.region == "" {
		of.region = (&Instance{Zone: d.Placement.Zone}).Region()
	}
	if len(d.Owner) == accountDigits && strings.Trim(d.Owner, "0123456789") == "" {
		of.account = d.Owner
	}
}
