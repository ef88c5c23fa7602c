"""The HTTP surface: requests are read strictly, admitted within bounds, and answered or refused in words.

It may import everything but the process."""
