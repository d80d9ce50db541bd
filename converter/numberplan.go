package converter

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"strconv"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// numberPlan is a region's numbering plan, compiled from the library's
// metadata into automata over digits. The library matches dozens of regular
// expressions and allocates 50 times for each number; the common
// forms of a valid number are recognised here in one walk over their digits.
// The plan only ever says yes: whatever it is not sure of goes to the library.
type numberPlan struct {
	country string // calling code
	main    bool   // the region is the first of those that share its calling code
	trunk   string // the digits dialled before a national number, where they are nothing else
	idd     *automaton
	prefix  *automaton // what the library strips from a national number; nil if nothing
	general *automaton // bit 0: a number by the general description
	kinds   *automaton // one bit for each kind of number
	lengths []uint32   // of each kind: bit n is set when a number may have n digits
	any     uint32     // the lengths of the general description
}

// numberPlans keeps the plans of the regions met: there are 245 at most.
var numberPlans sync.Map // region to *numberPlan, nil when it has none

func planFor(region string) *numberPlan {
	if p, ok := numberPlans.Load(region); ok {
		return p.(*numberPlan)
	}
	p, _ := numberPlans.LoadOrStore(region, newNumberPlan(region))
	return p.(*numberPlan)
}

// longestNumber is the longest national number that the library takes.
const longestNumber = 17

func newNumberPlan(region string) *numberPlan {
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(all.GetMetadata(), func(m *phonenumbers.PhoneMetadata) bool { return m.GetId() == region })
	if i < 0 {
		return nil
	}
	m := all.GetMetadata()[i]
	code := int(m.GetCountryCode())
	p := &numberPlan{country: strconv.Itoa(code), any: lengthBits(m.GetGeneralDesc())}
	// Where regions share a calling code, a number belongs to the first region
	// whose plan has it: only that one can be decided by its own plan.
	regions := phonenumbers.GetRegionCodesForCountryCode(code)
	if len(regions) == 0 || regions[0] != region || len(regions) > 1 && m.GetLeadingDigits() != "" {
		return nil
	}
	p.main = phonenumbers.GetRegionCodeForCountryCode(code) == region

	ok := true
	build := func(patterns ...string) *automaton {
		a := newAutomaton(patterns)
		ok = ok && a != nil
		return a
	}
	p.idd = build(m.GetInternationalPrefix())
	p.general = build(m.GetGeneralDesc().GetNationalNumberPattern())
	if s := m.GetNationalPrefixForParsing(); s != "" {
		p.prefix = build(s)
		if allDigits(s) && m.GetNationalPrefixTransformRule() == "" {
			p.trunk = s
		}
	}
	kinds := []*phonenumbers.PhoneNumberDesc{m.GetPremiumRate(), m.GetTollFree(), m.GetSharedCost(), m.GetVoip(),
		m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(), m.GetFixedLine()}
	if !m.GetSameMobileAndFixedLinePattern() {
		kinds = append(kinds, m.GetMobile())
	}
	var patterns []string
	for _, k := range kinds {
		if s := k.GetNationalNumberPattern(); s != "" {
			patterns = append(patterns, s)
			lengths := ^uint32(0)
			if len(k.PossibleLength) > 0 {
				lengths = lengthBits(k)
			}
			p.lengths = append(p.lengths, lengths)
		}
	}
	p.kinds = build(patterns...)
	if !ok || p.any == 0 {
		return nil
	}
	return p
}

func lengthBits(d *phonenumbers.PhoneNumberDesc) uint32 {
	var bits uint32
	for _, n := range d.GetPossibleLength() {
		if n > 0 && n <= longestNumber {
			bits |= 1 << n
		}
	}
	return bits
}

// valid reports that digits are a national number of the plan.
func (p *numberPlan) valid(digits []byte) bool {
	if p.any&(1<<len(digits)) == 0 || p.general.accepts(digits) == 0 {
		return false
	}
	for kinds, i := p.kinds.accepts(digits), 0; kinds != 0; kinds, i = kinds>>1, i+1 {
		if kinds&1 != 0 && p.lengths[i]&(1<<len(digits)) != 0 {
			return true
		}
	}
	return false
}

// national gives the national number that the library would find in the
// digits of a phone as people write it, if it is valid and its reading is
// beyond doubt: as it is, behind the trunk prefix, or behind the
// calling code, with a plus or without.
func (p *numberPlan) national(digits []byte, plus bool) ([]byte, bool) {
	if len(digits) < 3 || len(digits) > longestNumber {
		return nil, false
	}
	withCode := string(digits[:min(len(p.country), len(digits))]) == p.country
	if plus {
		if !p.main || !withCode {
			return nil, false
		}
		return p.bare(digits[len(p.country):])
	}
	if p.idd.begins(digits) {
		return nil, false
	}
	if withCode && p.general.accepts(digits) == 0 {
		return p.bare(digits[len(p.country):])
	}
	if n := len(p.trunk); n > 0 && len(digits) > n && string(digits[:n]) == p.trunk && !withCode {
		rest := digits[n:]
		return rest, rest[0] != '0' && p.valid(rest)
	}
	return p.bare(digits)
}

// bare accepts a national number from which nothing is stripped.
func (p *numberPlan) bare(digits []byte) ([]byte, bool) {
	if len(digits) < 3 || digits[0] == '0' || p.prefix != nil && p.prefix.begins(digits) {
		return nil, false
	}
	return digits, p.valid(digits)
}

// automaton is a deterministic automaton over decimal digits for several
// regular expressions at once.
type automaton struct {
	next [][10]uint16 // state 0 is dead, state 1 the start
	mask []uint32     // the expressions that end in a state
}

// accepts gives the expressions that all of the digits match, one bit each.
func (a *automaton) accepts(digits []byte) uint32 {
	s := uint16(1)
	for _, c := range digits {
		if s = a.next[s][c-'0']; s == 0 {
			return 0
		}
	}
	return a.mask[s]
}

// begins reports that an expression matches at the start of the digits.
func (a *automaton) begins(digits []byte) bool {
	s := uint16(1)
	for _, c := range digits {
		if a.mask[s] != 0 {
			return true
		}
		if s = a.next[s][c-'0']; s == 0 {
			return false
		}
	}
	return a.mask[s] != 0
}

// maxStates bounds an automaton: the largest plan needs a few thousand.
const maxStates = 20000

// newAutomaton compiles the expressions by the subset construction; nil for
// expressions that are more than digits, classes, choices and repetitions.
func newAutomaton(patterns []string) *automaton {
	if len(patterns) > 32 {
		return nil
	}
	var programs []*syntax.Prog
	for _, s := range patterns {
		re, err := syntax.Parse(s, syntax.Perl)
		if err != nil {
			return nil
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			return nil
		}
		programs = append(programs, prog)
	}
	// A state is a sorted set of places, each a program and an instruction.
	a := &automaton{next: make([][10]uint16, 2), mask: make([]uint32, 2)}
	sets := [][]uint32{nil, nil}
	known := map[string]uint16{}
	ok := true
	var follow func(set []uint32, place uint32) []uint32
	follow = func(set []uint32, place uint32) []uint32 {
		if slices.Contains(set, place) {
			return set
		}
		in := &programs[place>>16].Inst[place&0xffff]
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			set = append(set, place)
			set = follow(set, place&^0xffff|in.Out)
			return follow(set, place&^0xffff|in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			set = append(set, place)
			return follow(set, place&^0xffff|in.Out)
		case syntax.InstEmptyWidth:
			ok = false
		case syntax.InstFail:
		default:
			set = append(set, place)
		}
		return set
	}
	state := func(set []uint32) uint16 {
		if len(set) == 0 {
			return 0
		}
		slices.Sort(set)
		var key []byte
		var mask uint32
		for _, place := range set {
			key = binary.BigEndian.AppendUint32(key, place)
			if programs[place>>16].Inst[place&0xffff].Op == syntax.InstMatch {
				mask |= 1 << (place >> 16)
			}
		}
		if s, found := known[string(key)]; found {
			return s
		}
		if len(sets) >= maxStates {
			ok = false
			return 0
		}
		s := uint16(len(sets))
		known[string(key)] = s
		sets, a.next, a.mask = append(sets, set), append(a.next, [10]uint16{}), append(a.mask, mask)
		return s
	}
	var start []uint32
	for i, p := range programs {
		if len(p.Inst) > 0xffff {
			return nil
		}
		start = follow(start, uint32(i)<<16|uint32(p.Start))
	}
	// The start is state 1, which was kept free for it.
	slices.Sort(start)
	sets[1] = start
	for _, place := range start {
		if programs[place>>16].Inst[place&0xffff].Op == syntax.InstMatch {
			a.mask[1] |= 1 << (place >> 16)
		}
	}
	for s := 1; s < len(sets) && ok; s++ {
		for digit := range 10 {
			var set []uint32
			for _, place := range sets[s] {
				in := &programs[place>>16].Inst[place&0xffff]
				switch in.Op {
				case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
					if in.MatchRune(rune('0' + digit)) {
						set = follow(set, place&^0xffff|in.Out)
					}
				}
			}
			a.next[s][digit] = state(set)
		}
	}
	if !ok {
		return nil
	}
	return a
}
