#!/usr/bin/env perl
# tests/docs_show.pl PAGE...
#
# Each block of C++ on a page stands below `<!-- FILE -->` and has to be what FILE, which is compiled,
# has between `// [docs` and `// docs]`. Run at the top of the tree.
use strict;
use warnings;

sub slurp {
  open my $file, '<', $_[0] or die "$_[0]: $!\n";
  local $/;
  return scalar <$file>;
}

my $differ = 0;
for my $page (@ARGV) {
  my $text = slurp($page);
  my $blocks = () = $text =~ /^```cpp$/mg;
  my $shown = 0;
  while ($text =~ /^<!-- (\S+) -->\n```cpp\n(.*?)^```$/msg) {
    my ($name, $block) = ($1, $2);
    my ($part) = slurp($name) =~ m{^// \[docs\n(.*?)^// docs\]$}ms;
    ++$shown;
    next if defined $part && $part eq $block;
    print "$page does not show $name as it is: paste what lies between its marks\n";
    $differ = 1;
  }
  next if $shown == $blocks && $shown > 0;
  print "$page: $blocks blocks of C++, $shown of them below the name of an example\n";
  $differ = 1;
}
exit $differ;
