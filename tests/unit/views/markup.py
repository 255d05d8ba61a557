"""Reads pages as a parser does."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input"}


class Tags(HTMLParser):
    """Start tags and identifiers of a page, and whether every tag that was opened was closed."""

    def __init__(self, text):
        super().__init__()
        self.names, self.ids, self.attributes, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
