DROP TABLE tasks, projects, organizations, colours;
