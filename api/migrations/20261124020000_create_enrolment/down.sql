DROP TABLE enrolment;
DROP TABLE consent;
