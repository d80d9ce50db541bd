package loader

// recordSet is a set of numbers of records: a bit for each.
type recordSet map[int64]*[recordPage / 64]uint64

const recordPage = 1 << 13

func (s *recordSet) add(record int64) {
	if *s == nil {
		*s = recordSet{}
	}
	page := (*s)[record/recordPage]
	if page == nil {
		page = new([recordPage / 64]uint64)
		(*s)[record/recordPage] = page
	}
	page[record%recordPage/64] |= 1 << (record % 64)
}

func (s recordSet) has(record int64) bool {
	page := s[record/recordPage]
	return page != nil && page[record%recordPage/64]&(1<<(record%64)) != 0
}
